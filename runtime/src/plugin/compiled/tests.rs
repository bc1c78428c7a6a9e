//! What the folder gives back and what it does not.

use super::*;
use crate::clock::SimulatedClock;
use wasmtime::{Config, ModuleVersionStrategy};

const DAY: u64 = 24 * 3_600_000;

struct Stage {
    place: tempfile::TempDir,
    clock: Arc<SimulatedClock>,
    folder: Folder,
    engine: Engine,
}

fn stage() -> Stage {
    let place = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimulatedClock::new(1_000 * DAY, 1));
    let folder = Folder::new(place.path().join("compiled"), clock.clone()).unwrap();
    Stage { place, clock, folder, engine: Engine::default() }
}

/// Of another version, so far as wasmtime can tell.
fn other_version() -> Engine {
    let mut config = Config::new();
    config.module_version(ModuleVersionStrategy::Custom("another".into())).unwrap();
    Engine::new(&config).unwrap()
}

fn component(engine: &Engine) -> Component {
    let bytes = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
    Component::from_binary(engine, &bytes).unwrap()
}

impl Stage {
    fn keep(&self, hash: u8) -> PathBuf {
        self.keep_by(&self.engine, hash)
    }
    fn keep_by(&self, engine: &Engine, hash: u8) -> PathBuf {
        self.folder.keep(engine, &[hash; 32], &component(engine), "a remark");
        self.folder.path.join(file_name(engine, &[hash; 32]))
    }
    fn remark(&self, hash: u8) -> Option<String> {
        self.folder.load(&self.engine, &[hash; 32]).map(|kept| kept.remark)
    }
}

#[test]
fn only_what_was_written_under_its_name_is_given_back() {
    let stage = stage();
    let file = stage.keep(1);
    assert_eq!(stage.remark(1).as_deref(), Some("a remark"));
    assert_eq!(stage.remark(2), None);
    let whole = fs::read(&file).unwrap();
    for at in [0, 9, CHECKSUM + 8, CHECKSUM + 13, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        fs::write(&file, flipped).unwrap();
        assert_eq!(stage.remark(1), None, "byte {at}");
    }
    for length in [0, 8, 20, CHECKSUM + 8, CHECKSUM + 10, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(stage.remark(1), None, "{length} bytes");
    }
    // A good file, but of another component.
    fs::copy(stage.keep(2), &file).unwrap();
    assert_eq!(stage.remark(1), None);
    fs::write(&file, whole).unwrap();
    assert_eq!(stage.remark(1).as_deref(), Some("a remark"));
}

#[test]
fn code_of_another_version_is_refused() {
    let stage = stage();
    let other = other_version();
    let theirs = stage.keep_by(&other, 1);
    let code = fs::read(&theirs).unwrap();
    let (_, code) = intact(&file_name(&other, &[1; 32]), &code).unwrap();
    // As if both had the same name: then wasmtime's own check is what is left.
    let name = file_name(&stage.engine, &[1; 32]);
    let content = [&0_u32.to_le_bytes(), code].concat();
    let forged = [&MAGIC[..], &checksum(&name, &content), &content].concat();
    fs::write(stage.folder.path.join(name), forged).unwrap();
    assert_eq!(stage.remark(1), None);
}

#[test]
fn what_is_not_used_is_removed() {
    let stage = stage();
    let foreign = stage.folder.path.join("notes.txt");
    fs::write(&foreign, b"not ours to remove").unwrap();
    let (unused, used) = (stage.keep(1), stage.keep(2));
    stage.clock.advance(20 * DAY);
    stage.remark(2);
    stage.clock.advance(11 * DAY);
    let new = stage.keep(3);
    assert_eq!((unused.exists(), used.exists(), new.exists()), (false, true, true));
    let others = stage.keep_by(&other_version(), 4);
    assert_eq!((used.exists(), new.exists(), others.exists()), (false, false, true));
    // More than there may be in all: the one used longest ago goes first.
    let old = stage.keep(5);
    stage.clock.advance(DAY);
    let big = stage.keep(6);
    let one = fs::metadata(&big).unwrap().len();
    fs::File::options().write(true).open(&big).unwrap().set_len(TOTAL_BYTES - one).unwrap();
    stage.folder.touch(&big);
    stage.clock.advance(DAY);
    let new = stage.keep(7);
    assert_eq!((old.exists(), big.exists(), new.exists()), (false, true, true));
    assert!(!others.exists() && foreign.exists());
}

#[test]
#[cfg(unix)]
fn another_users_folder_is_refused() {
    let stage = stage();
    let path = stage.place.path().join("theirs");
    fs::create_dir(&path).unwrap();
    // Only root can give a folder away; for others there is nothing to see.
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
        assert!(Folder::new(path, stage.clock.clone()).is_err());
    }
}
