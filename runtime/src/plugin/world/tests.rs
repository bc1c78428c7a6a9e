//! Two versions of the contract at once, and versions that are a little newer
//! than the host's.

use super::{
    super::{
        bundled,
        code::Ready,
        engine::{Compiler, Machine},
        instance::Instance,
    },
    *,
};
use std::{path::Path, sync::Arc, time::Duration};
use wasmtime::Store;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A version that breaks: see `tests/wit/next`.
mod next {
    wasmtime::component::bindgen!({
        path: "../tests/wit/next",
        world: "plugin",
        exports: { default: async },
        require_store_data_send: true,
    });
}

/// The adapter: the next version's imports, by the same host.
impl next::switchboard::plugin::contact::Host for Host {
    fn name(&mut self) -> String {
        "Ann".into()
    }
}

impl next::switchboard::plugin::ratings::Host for Host {
    fn rate(&mut self, stars: u8) -> u32 {
        u32::from(stars) * 10
    }
}

impl next::switchboard::plugin::types::Host for Host {}

/// The entry.
const NEXT: Served = Served {
    version: "0.2.0",
    imports: &["types", "contact", "ratings"],
    add: |linker| next::Plugin::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host),
};

/// A guest of the next version: its license is `MIT`; it handles a text by
/// giving five stars, and adds the length of the contact's name.
const NEXT_GUEST: &str = r#"(module
    (import "switchboard:plugin/ratings@0.2.0" "rate" (func $rate (param i32) (result i32)))
    (import "switchboard:plugin/contact@0.2.0" "name" (func $name (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "next2.0.0MIT")
    (data (i32.const 64) "\00\00\00\00\04\00\00\00\04\00\00\00\05\00\00\00\09\00\00\00\03\00\00\00")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "switchboard:plugin/guest@0.2.0#describe") (result i32) (i32.const 64))
    (func (export "switchboard:plugin/guest@0.2.0#handle") (param i32 i32) (result i32)
        (call $name (i32.const 512))
        (i32.add (call $rate (i32.const 5)) (i32.load (i32.const 516)))))"#;

/// A component of a core module, as tools for guests make it.
fn component(module: &str, wit: &Path) -> Vec<u8> {
    let mut bytes = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().encode().unwrap()
}

fn next_guest() -> Vec<u8> {
    component(NEXT_GUEST, Path::new("../tests/wit/next"))
}

fn compiled(machine: &Machine, bytes: &[u8]) -> Component {
    Component::from_binary(&machine.cranelift().engine, bytes).unwrap()
}

/// The bytes with one text written over another of the same length.
fn patched(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "no `{from}`");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

const LIMIT: Duration = Duration::from_secs(60);

async fn describe(machine: &Arc<Machine>, pre: &PluginPre<Host>) -> String {
    let code = Ready::new(pre, Compiler::Cranelift, Duration::ZERO, false).unwrap();
    let mut instance = Instance::new(machine, &Arc::new(code), 64, LIMIT, (0, 0)).await.unwrap();
    instance.describe(LIMIT).await.unwrap().name
}

#[tokio::test(flavor = "multi_thread")]
async fn one_linker_serves_two_versions() {
    let machine = Machine::new().unwrap();
    let [first] = SERVED;
    let both = [NEXT, first];
    let linker = linker_of(&machine.cranelift().engine, &both).unwrap();

    let faq = compiled(&machine, bundled::bytes("faq").unwrap());
    let made = check(&machine.cranelift().engine, &faq, &both, "faq").unwrap();
    assert_eq!(made.served.version, "0.1.0");
    let pre = PluginPre::new(linker.instantiate_pre(&faq).unwrap()).unwrap();
    assert_eq!(describe(&machine, &pre).await, "faq");

    let guest = compiled(&machine, &next_guest());
    let made = check(&machine.cranelift().engine, &guest, &both, "next").unwrap();
    assert_eq!(made.served.version, "0.2.0");
    let pre = next::PluginPre::new(linker.instantiate_pre(&guest).unwrap()).unwrap();
    let mut store = Store::new(&machine.cranelift().engine, Host::new(64));
    store.set_epoch_deadline(u64::from(u32::MAX));
    let plugin = pre.instantiate_async(&mut store).await.unwrap();
    let guest = plugin.switchboard_plugin_guest();
    let said = guest.call_describe(&mut store).await.unwrap();
    assert_eq!((&*said.name, &*said.version, &*said.license), ("next", "2.0.0", "MIT"));
    // Once for one instance: its allocator knows one place.
    assert_eq!(guest.call_handle(&mut store, "hello").await.unwrap(), 53);
}

#[test]
fn a_version_that_is_not_served_is_refused_with_those_that_are() {
    let machine = Machine::new().unwrap();
    let guest = compiled(&machine, &next_guest());
    let told = |all: &[Served]| {
        check(&machine.cranelift().engine, &guest, all, "next").map(|_| ()).unwrap_err().to_string()
    };
    let words = "next is made for switchboard:plugin 0.2.0, and this host serves 0.1.0";
    assert_eq!(told(&SERVED), words);
    let [first] = SERVED;
    let later = Served { version: "0.3.0", ..NEXT };
    assert_eq!(told(&[later, first]), words.replace("0.1.0", "0.3.0 and 0.1.0"));
}

#[test]
fn a_component_keeps_to_one_version() {
    let machine = Machine::new().unwrap();
    let [first] = SERVED;
    let both = [NEXT, first];
    let mixed = patched(&next_guest(), "contact@0.2.0", "contact@0.1.0");
    let guest = compiled(&machine, &mixed);
    let told = check(&machine.cranelift().engine, &guest, &both, "mixed")
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(told.contains("both must have the same version"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_newer_than_the_hosts_runs_if_it_uses_nothing_new() {
    let machine = Machine::new().unwrap();
    let linker = linker(&machine.cranelift().engine).unwrap();
    let newer = patched(bundled::bytes("faq").unwrap(), "@0.1.0", "@0.1.9");
    let pre = link(&linker, &compiled(&machine, &newer), "faq").unwrap();
    assert_eq!(describe(&machine, &pre).await, "faq");
}

#[test]
fn a_function_that_came_later_is_named() {
    let machine = Machine::new().unwrap();
    let linker = linker(&machine.cranelift().engine).unwrap();
    let wit = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir("../wit").unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "wit") {
            let text = std::fs::read_to_string(&path).unwrap().replace("@0.1.0;", "@0.1.9;");
            let text = text.replace("interface log {", "interface log {\nshout: func();\n");
            std::fs::write(wit.path().join(path.file_name().unwrap()), text).unwrap();
        }
    }
    let guest = r#"(module
        (import "switchboard:plugin/log@0.1.9" "shout" (func))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "switchboard:plugin/guest@0.1.9#describe") (result i32) (i32.const 64))
        (func (export "switchboard:plugin/guest@0.1.9#configure") (param i32 i32) (result i32)
            (i32.const 64))
        (func (export "switchboard:plugin/guest@0.1.9#handle") (param i32) (result i32)
            (i32.const 64)))"#;
    let guest = compiled(&machine, &component(guest, wit.path()));
    let told = link(&linker, &guest, "loud").map(|_| ()).unwrap_err().to_string();
    for part in ["made for switchboard:plugin 0.1.9, which is newer than the 0.1.0", "`shout`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
