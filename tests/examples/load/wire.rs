//! A load generator and a Graph API that cost little: plain HTTP/1.1 over
//! kept connections, so that the server gets the machine.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use switchboard_tests::{meta::sign, now_seconds, shop::SECRET};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Takes sends and remembers when each recipient's came.
pub struct Graph {
    pub url: String,
    sent: Arc<Mutex<HashMap<String, Instant>>>,
    /// The last message that went to a watched number.
    watched: Arc<Mutex<String>>,
}

/// What is sent to numbers that begin so is looked into.
const WATCHED: &str = "1800555";

impl Graph {
    /// The last message that went to a watched number.
    pub fn last_text(&self) -> String {
        self.watched.lock().unwrap().clone()
    }

    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v26.0", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(HashMap::new()));
        let watched = Arc::new(Mutex::new(String::new()));
        let (all, last) = (Arc::clone(&sent), Arc::clone(&watched));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&all), Arc::clone(&last)));
            }
        });
        Self { url, sent, watched }
    }
}

async fn serve(
    mut stream: TcpStream,
    sent: Arc<Mutex<HashMap<String, Instant>>>,
    watched: Arc<Mutex<String>>,
) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    while let Some(body) = read_body(&mut stream, &mut buffer).await {
        let text = String::from_utf8_lossy(&body);
        let to = text.split("\"to\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let to = to.unwrap_or_default().to_owned();
        let answer = format!(
            "{{\"messaging_product\":\"whatsapp\",\"contacts\":[{{\"input\":\"{to}\",\"wa_id\":\"{to}\"}}],\"messages\":[{{\"id\":\"wamid.{to}\"}}]}}"
        );
        if to.starts_with(WATCHED) {
            *watched.lock().unwrap() = text.into_owned();
        }
        sent.lock().unwrap().insert(to, Instant::now());
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if stream.write_all((head + &answer).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads one message with its body; none at the end.
async fn read_body(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
            while buffer.len() < end + 4 + length {
                if stream.read_buf(buffer).await.ok()? == 0 {
                    return None;
                }
            }
            let rest = buffer.split_off(end + 4 + length);
            let mut message = std::mem::replace(buffer, rest);
            return Some(message.split_off(end + 4));
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// What a run measured. Times are p50 and p99 in ms.
pub struct Run {
    pub accepted: usize,
    pub answered: usize,
    pub taken: (f64, f64),
    pub answers: (f64, f64),
}

/// Posts one message per contact over `connections` until `length` is over,
/// then waits for the answers.
pub async fn drive(
    address: &str,
    graph: &Graph,
    length: Duration,
    connections: usize,
    channels: usize,
    round: usize,
) -> Run {
    graph.sent.lock().unwrap().clear();
    let until = Instant::now() + length;
    let tasks: Vec<_> = (0..connections)
        .map(|n| tokio::spawn(customer(address.to_owned(), n, channels, round, until)))
        .collect();
    let (mut begun, mut taken) = (HashMap::new(), Vec::new());
    for task in tasks {
        for (phone, at, took) in task.await.unwrap() {
            begun.insert(phone, at);
            taken.push(took);
        }
    }
    let patience = Instant::now() + Duration::from_secs(30);
    while graph.sent.lock().unwrap().len() < begun.len() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sent = graph.sent.lock().unwrap();
    let answers: Vec<f64> = sent
        .iter()
        .filter_map(|(to, at)| Some(at.duration_since(*begun.get(to)?).as_secs_f64() * 1e3))
        .collect();
    Run {
        accepted: begun.len(),
        answered: answers.len(),
        taken: percentiles(taken),
        answers: percentiles(answers),
    }
}

fn percentiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    if times.is_empty() { (f64::NAN, f64::NAN) } else { (at(0.5), at(0.99)) }
}

async fn customer(
    address: String,
    n: usize,
    channels: usize,
    round: usize,
    until: Instant,
) -> Vec<(String, Instant, f64)> {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut buffer, mut done) = (Vec::new(), Vec::new());
    for message in 0.. {
        if Instant::now() >= until {
            break;
        }
        let channel = (n + message) % channels;
        let phone = format!("19{round}{n:03}{message:07}");
        let request = request(&address, channel, &phone);
        let began = Instant::now();
        stream.write_all(&request).await.unwrap();
        read_body(&mut stream, &mut buffer).await.expect("an answer to the webhook");
        done.push((phone, began, began.elapsed().as_secs_f64() * 1e3));
    }
    done
}

/// Asks from one watched number after another until an answer holds `text`; how long it took.
pub async fn until_answered_with(address: &str, graph: &Graph, text: &str) -> Duration {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut buffer = Vec::new();
    while !graph.last_text().contains(text) {
        assert!(began.elapsed() < Duration::from_secs(30), "the edit did not go live");
        let nanos = began.elapsed().as_nanos() as usize;
        let phone = format!("{WATCHED}{:07}", (now_seconds() as usize * 131 + nanos) % 10_000_000);
        let body = webhook(nanos % 16, &phone);
        stream.write_all(&signed(address, nanos % 16, &body)).await.unwrap();
        read_body(&mut stream, &mut buffer).await.expect("an answer to the webhook");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

fn request(address: &str, channel: usize, phone: &str) -> Vec<u8> {
    signed(address, channel, &webhook(channel, phone))
}

fn signed(address: &str, channel: usize, body: &str) -> Vec<u8> {
    let head = format!(
        "POST /webhooks/n{channel} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         x-hub-signature-256: {}\r\ncontent-length: {}\r\n\r\n",
        sign(SECRET, body.as_bytes()),
        body.len()
    );
    (head + body).into_bytes()
}

/// A text message as Meta words it.
pub fn webhook(channel: usize, phone: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1020","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550001111","phone_number_id":"9{channel:03}"}},"contacts":[{{"profile":{{"name":"Test"}},"wa_id":"{phone}"}}],"messages":[{{"from":"{phone}","id":"wamid.HBgM{phone}","timestamp":"{}","text":{{"body":"Hello, could you tell me where I can park?"}},"type":"text"}}]}},"field":"messages"}}]}}]}}"#,
        now_seconds()
    )
}
