//! Components that no compiler would make: a core module's text, put into the
//! contract's world.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What is particular to one. The rest is a plugin that does nothing.
#[derive(Clone, Copy)]
pub struct Made {
    /// Core imports, and whatever else stands at the module's beginning.
    pub before: &'static str,
    /// Memory, in pages of 64 KiB.
    pub pages: u32,
    /// What it says of itself.
    pub name: &'static str,
    pub version: &'static str,
    pub summary: &'static str,
    /// Its schema, as JSON without spaces, and how many spaces are behind it.
    pub schema: &'static str,
    pub schema_spaces: u32,
    /// How often it names the kind `message`.
    pub kinds: u32,
    /// The bodies of its functions, before their results.
    pub start: &'static str,
    pub describe: &'static str,
    pub configure: &'static str,
    pub handle: &'static str,
    /// WIT of imports beyond the contract's, each a package.
    pub packages: &'static [&'static str],
    /// What of them the world imports.
    pub imports: &'static str,
}

pub const MADE: Made = Made {
    before: "",
    pages: 16,
    name: "made",
    version: "0.1.0",
    summary: "",
    schema: "",
    schema_spaces: 0,
    kinds: 1,
    start: "",
    describe: "",
    configure: "",
    handle: "",
    packages: &[],
    imports: "",
};

/// Where texts lie, in bytes from the memory's start.
const NAME: u32 = 1_024;
const VERSION: u32 = 2_048;
const SUMMARY: u32 = 3_072;
const MESSAGE: u32 = 4_096;
const KINDS: u32 = 8_192;
const SCHEMA: u32 = 400_000;
const HEAP: u32 = 900_000;

impl Made {
    pub fn component(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.module()).unwrap_or_else(|error| panic!("{error}"));
        let mut resolve = Resolve::default();
        resolve.push_dir(crate::repository().join("wit")).unwrap();
        for (n, package) in self.packages.iter().enumerate() {
            resolve.push_str(format!("{n}.wit"), package).unwrap();
        }
        let world = format!(
            "package t:t;\nworld w {{ include switchboard:plugin/plugin@0.1.0;\n{} }}",
            self.imports
        );
        let package = resolve.push_str("world.wit", &world).unwrap();
        let world = resolve.select_world(&[package], Some("w")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let encoder = ComponentEncoder::default().validate(true);
        encoder.module(&module).unwrap().encode().unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn module(&self) -> String {
        let Self { before, pages, start, describe, configure, handle, .. } = self;
        let guest = "switchboard:plugin/guest@0.1.0";
        let text = |at: u32, text: &str| format!("(data (i32.const {at}) \"{text}\")");
        let pair = |at: u32, text: u32, bytes: usize| {
            format!(
                "(i32.store (i32.const {at}) (i32.const {text}))
                 (i32.store (i32.const {}) (i32.const {bytes}))",
                at + 4
            )
        };
        let kinds = (0..self.kinds).map(|n| pair(KINDS + n * 8, MESSAGE, 7)).collect::<String>();
        let schema = match self.schema.len() {
            0 => String::new(),
            bytes => format!(
                "(memory.fill (i32.const {}) (i32.const 32) (i32.const {}))
                 (i32.store8 (i32.const 24) (i32.const 1)) {}",
                SCHEMA as usize + bytes,
                self.schema_spaces,
                pair(28, SCHEMA, bytes + self.schema_spaces as usize)
            ),
        };
        format!(
            r#"(module {before}
  (memory (export "memory") {pages})
  (global $heap (mut i32) (i32.const {HEAP}))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (block $fits
      (br_if $fits (i32.lt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $fits (i32.ne (i32.const -1)
        (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16))))))
      unreachable)
    (local.get $at))
  (func $start {start})
  (start $start)
  (func (export "{guest}#describe") (result i32)
    {describe}
    {} {} {} {} {kinds} {schema}
    (i32.const 0))
  (func (export "{guest}#configure") (param i32 i32) (result i32)
    {configure}
    (i32.store (i32.const 512) (i32.const 0))
    (i32.const 512))
  (func (export "{guest}#handle") (param i32) (result i32)
    {handle}
    (i64.store (i32.const 512) (i64.const 0))
    (i32.const 512))
  {} {} {} {} {})"#,
            pair(0, NAME, self.name.len()),
            pair(8, VERSION, unescaped(self.version)),
            pair(16, SUMMARY, unescaped(self.summary)),
            pair(36, KINDS, self.kinds as usize),
            text(NAME, self.name),
            text(VERSION, self.version),
            text(SUMMARY, self.summary),
            text(MESSAGE, "message"),
            text(SCHEMA, &self.schema.replace('"', r"\22")),
        )
    }
}

/// How many bytes a text has, where `\1b` is one.
fn unescaped(text: &str) -> usize {
    text.len() - 2 * text.matches('\\').count()
}
