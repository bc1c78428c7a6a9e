//! The real server: the binary as a child process, or the same within this
//! one where a test owns the clock.

use crate::shop::{Shop, text};
use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, OnceLock, mpsc},
    time::Duration,
};
use switchboard::{
    app::{self, ServeOptions},
    clock::Clock,
    config::Env,
};
use tokio::sync::watch;

/// Builds the binary once, as `cargo run` would, and says where it is.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let root = crate::repository();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(&root).args(["build", "--quiet", "--bin", "switchboard"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // What cargo has set for this test would look like a change to build
    // scripts that read it, and half the dependencies would be built again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let of_owner = ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR"].contains(&name.as_str());
        if name == "OUT_DIR" || (name.starts_with("CARGO") && !of_owner) {
            cargo.env_remove(name);
        }
    }
    let output = cargo.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the binary could not be built");
    let lines = String::from_utf8(output.stdout).unwrap();
    let executable = lines.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.expect("cargo named no executable")
}

/// Runs `switchboard` to its end.
pub fn switchboard(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().unwrap()
}

/// `switchboard serve` or `demo` on a folder; ended when dropped.
pub struct Server {
    life: Life,
    pub public: String,
    pub admin: String,
    /// What it has written to stderr.
    pub log: Arc<Mutex<String>>,
    /// What it had written to stdout when it served.
    said: String,
}

impl Server {
    /// Within this process, by this clock. It can't be killed, and its log is
    /// not kept.
    pub fn within(shop: &Shop, clock: Arc<dyn Clock>) -> Self {
        let env = Env::from([("SWITCHBOARD_CACHE", text(&compiled()))]);
        let options = ServeOptions { folder: shop.folder.clone(), env };
        let (end, shutdown) = watch::channel(false);
        let (say, said) = mpsc::channel();
        // An event loop of its own: whatever the test does, it goes on.
        std::thread::spawn(move || {
            let say = |line: &str| drop(say.send(line.to_owned()));
            let life = tokio::runtime::Runtime::new().unwrap();
            if let Err(why) = life.block_on(app::serve_within(options, clock, shutdown, &say)) {
                say(&format!("{why:?}"));
            }
        });
        let said = Said::read(&mut said.iter());
        let said = said.unwrap_or_else(|said| panic!("it did not start:\n{said}"));
        said.of(Life::Within(end), Arc::default())
    }

    /// Waits until it serves.
    pub fn start(shop: &Shop) -> Self {
        Self::try_start(shop, &[]).unwrap_or_else(|log| panic!("it did not start:\n{log}"))
    }

    /// As `start`, with nothing compiled before but by this shop.
    pub fn start_cold(shop: &Shop) -> Self {
        let cache = shop.folder.with_file_name("cache");
        let started = Self::try_start(shop, &[("SWITCHBOARD_CACHE", text(&cache))]);
        started.unwrap_or_else(|log| panic!("it did not start:\n{log}"))
    }

    /// The log if it ended instead of serving.
    pub fn try_start(shop: &Shop, env: &[(&str, &str)]) -> Result<Self, String> {
        Self::launch(&["serve", text(&shop.folder)], env)
    }

    /// `switchboard demo` on free ports, and the address of its chat page.
    pub fn demo(folder: &Path) -> (Self, String) {
        let any = "127.0.0.1:0";
        let arguments = ["--folder", text(folder), "--public", any, "--admin", any, "--chat", any];
        let demo = Self::launch(&[&["demo"], &arguments[..]].concat(), &[]);
        let demo = demo.unwrap_or_else(|log| panic!("the demo did not start:\n{log}"));
        let chat = demo.said.lines().find_map(|line| address(line, "chat"));
        (demo, chat.unwrap())
    }

    fn launch(arguments: &[&str], env: &[(&str, &str)]) -> Result<Self, String> {
        let mut child = Command::new(binary())
            .args(arguments)
            .env("SWITCHBOARD_CACHE", compiled())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        collect(child.stderr.take().unwrap(), Arc::clone(&log));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let said = Said::read(&mut lines).map_err(|said| {
            let status = child.wait().unwrap();
            std::thread::sleep(Duration::from_millis(50));
            format!("{status}\n{said}{}", log.lock().unwrap())
        })?;
        // Goes on reading, so that the child never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(said.of(Life::Process(child), log))
    }

    pub fn pid(&self) -> u32 {
        match &self.life {
            Life::Process(child) => child.id(),
            Life::Within(_) => panic!("it is no process of its own"),
        }
    }

    pub fn kill(self) {
        self.pid();
        drop(self);
    }

    /// Asks it to end and waits. The exit code, and what it logged.
    pub fn terminate(mut self) -> (Option<i32>, String) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let Life::Process(child) = &mut self.life else { unreachable!() };
        let code = child.wait().unwrap().code();
        let log = self.log.lock().unwrap().clone();
        (code, log)
    }

    pub async fn admin_get(&self, path: &str) -> serde_json::Value {
        let url = format!("{}{path}", self.admin);
        crate::client().get(url).send().await.unwrap().json().await.unwrap()
    }

    /// The body of an answer that is no JSON.
    pub async fn admin_bytes(&self, path: &str) -> Vec<u8> {
        let url = format!("{}{path}", self.admin);
        crate::client().get(url).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    pub async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.admin);
        crate::client().get(url).send().await.unwrap().text().await.unwrap()
    }

    /// A contact with its turns, by phone number.
    pub async fn lookup(&self, phone: &str) -> serde_json::Value {
        self.admin_get(&format!("/api/v1/contacts/lookup?phone={phone}")).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.life {
            Life::Process(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Life::Within(end) => drop(end.send(true)),
        }
    }
}

enum Life {
    Process(Child),
    /// Ends when it turns true.
    Within(watch::Sender<bool>),
}

/// What a server says when it serves.
struct Said {
    public: String,
    admin: String,
    all: String,
}

impl Said {
    /// Reads until both addresses are said; all that was said where they
    /// never are.
    fn read(lines: &mut impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut all, mut public, mut admin) = (String::new(), None, None);
        for line in lines {
            all += &line;
            all += "\n";
            public = public.or_else(|| address(&line, "webhooks"));
            admin = admin.or_else(|| address(&line, "admin"));
            if let (Some(public), Some(admin)) = (&public, &admin) {
                return Ok(Self { public: public.clone(), admin: admin.clone(), all });
            }
        }
        Err(all)
    }

    fn of(self, life: Life, log: Arc<Mutex<String>>) -> Server {
        Server { life, public: self.public, admin: self.admin, log, said: self.all }
    }
}

/// What was compiled for one test serves all.
fn compiled() -> PathBuf {
    binary().with_file_name("test-cache")
}

/// `  webhooks  http://127.0.0.1:1234/webhooks/…` → `http://127.0.0.1:1234`.
fn address(line: &str, name: &str) -> Option<String> {
    let rest = line.trim().strip_prefix(name)?;
    let url = rest.split_whitespace().find(|word| word.starts_with("http://"))?;
    let host = url.strip_prefix("http://")?.split('/').next()?;
    Some(format!("http://{host}"))
}

fn collect(mut from: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(bytes @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..bytes]));
        }
    });
}
