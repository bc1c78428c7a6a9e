//! The list. To add one: a name, a component, what it meets.

use super::{
    Case, Meets,
    made::{MADE, Made},
};
use Meets::{Bounded, Failure, Refusal};

const HOSTILE: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_HOSTILE"));
const SPEECHLESS: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_SPEECHLESS"));

/// In the order in which they are tried.
pub fn cases() -> Vec<Case> {
    let mut all = files();
    all.extend(descriptors());
    all.extend(before_the_first_event());
    all.extend(in_a_turn());
    all.extend(made_in_a_turn());
    all.extend(floods());
    all
}

fn case(name: &'static str, component: Vec<u8>, meets: Meets) -> Case {
    Case {
        name,
        component,
        rules: String::new(),
        limits: "",
        grants: "",
        zeros: 0,
        text: "parking",
        meets,
    }
}

/// The Rust guest, which does as its rules say in `handle`.
fn handles(name: &'static str, what: &str, meets: Meets) -> Case {
    Case { rules: format!("handle = \"{what}\""), ..case(name, HOSTILE.to_vec(), meets) }
}

fn configures(name: &'static str, what: &str, meets: Meets) -> Case {
    let limits = "configure_ms = 300";
    let rules = format!("configure = \"{what}\"");
    Case { rules, limits, ..case(name, HOSTILE.to_vec(), meets) }
}

fn describes(name: &'static str, how: &str, meets: Meets) -> Case {
    case(name, patched(SPEECHLESS, "how:loop", how), meets)
}

fn made(name: &'static str, made: Made, meets: Meets) -> Case {
    case(name, made.component(), meets)
}

/// The bytes with one text written over another of the same length.
fn patched(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let found: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| &bytes[*at..at + from.len()] == from.as_bytes())
        .collect();
    assert!(!found.is_empty(), "no `{from}`");
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

const LOOP: &str = "(loop $again (br $again))";

fn files() -> Vec<Case> {
    let import = |package, imports, before| Made { packages: package, imports, before, ..MADE };
    let huge = Case {
        zeros: 100 * 1024 * 1024,
        ..case("100 MB file", HOSTILE.to_vec(), Refusal("has 101 MB, and 64 MB are allowed"))
    };
    vec![
        case("empty file", Vec::new(), Refusal("is not WebAssembly")),
        case(
            "HTML instead of a plugin",
            b"<html>not found</html>".to_vec(),
            Refusal("is not WebAssembly"),
        ),
        case(
            "core module",
            wat::parse_str("(module)").unwrap(),
            Refusal("build it as a component"),
        ),
        case("truncated component", HOSTILE[..5_000].to_vec(), Refusal("can't be compiled")),
        huge,
        made(
            "asks for sockets",
            import(
                &["package wasi:sockets@0.2.0; interface network { open: func(); }"],
                "import wasi:sockets/network@0.2.0;",
                r#"(import "wasi:sockets/network@0.2.0" "open" (func))"#,
            ),
            Refusal("it imports `wasi:sockets/network@0.2.0`"),
        ),
        made(
            "asks for files in a way of its own",
            import(
                &["package wasi:filesystem@0.2.0; interface preopens { get-directories: func(); }"],
                "import wasi:filesystem/preopens@0.2.0;",
                r#"(import "wasi:filesystem/preopens@0.2.0" "get-directories" (func))"#,
            ),
            Refusal("imports instance `wasi:filesystem/preopens@0.2.0`"),
        ),
        made(
            "asks for wasi:http",
            import(
                &["package wasi:http@0.2.0; interface outgoing-handler { handle: func(); }"],
                "import wasi:http/outgoing-handler@0.2.0;",
                r#"(import "wasi:http/outgoing-handler@0.2.0" "handle" (func))"#,
            ),
            Refusal("it imports `wasi:http/outgoing-handler@0.2.0`"),
        ),
        made(
            "asks for what nobody knows",
            import(
                &["package evil:host@1.0.0; interface shell { run: func(); }"],
                "import evil:host/shell@1.0.0;",
                r#"(import "evil:host/shell@1.0.0" "run" (func))"#,
            ),
            Refusal("it imports `evil:host/shell@1.0.0`"),
        ),
    ]
}

/// Each definition is the next one eight times over.
const BOMB: &str = concat!(
    r##"{"$ref":"#/$defs/a","$defs":{"##,
    r##""a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"##,
    r##""b":{"allOf":[{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"}]},"##,
    r##""c":{"allOf":[{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"}]},"##,
    r##""d":{"allOf":[{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"},{"$ref":"#/$defs/e"}]},"##,
    r##""e":{"allOf":[{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"},{"$ref":"#/$defs/f"}]},"##,
    r##""f":{"type":"string"}}}"##
);

fn descriptors() -> Vec<Case> {
    vec![
        describes(
            "loops in describe",
            "how:loop",
            Refusal("could not describe itself: it took longer than 2s"),
        ),
        describes("unknown kind of event", "how:kind", Refusal("events of the kind `dreams`")),
        describes("name that is none", "how:name", Refusal("its name `No Name`")),
        describes("wants the moon", "how:want", Refusal("it wants `the-moon`")),
        describes(
            "schema that is no JSON",
            "how:json",
            Refusal("its schema for the rules is not JSON"),
        ),
        made(
            "huge schema",
            Made { schema: "{}", schema_spaces: 299_998, ..MADE },
            Refusal("schema for the rules has 300000 bytes"),
        ),
        made(
            "schema that multiplies",
            Made { schema: BOMB, ..MADE },
            Refusal("comes to more than 100000 parts"),
        ),
        made(
            "a hundred kinds of event",
            Made { kinds: 100, ..MADE },
            Refusal("it names 100 kinds of event"),
        ),
        made(
            "version that clears the screen",
            Made { version: r"1\1b[2J", ..MADE },
            Refusal("ASCII characters"),
        ),
        made(
            "4 GiB descriptor",
            Made {
                describe: "(i32.store (i32.const 4) (i32.const -1)) (return (i32.const 0))",
                ..MADE
            },
            Refusal("could not describe itself: it crashed"),
        ),
    ]
}

fn before_the_first_event() -> Vec<Case> {
    vec![
        made("loops when it starts", Made { start: LOOP, ..MADE }, Refusal("took longer than 2s")),
        made("crashes when it starts", Made { start: "unreachable", ..MADE }, Refusal("crashed: ")),
        made(
            "125 MB at its start",
            Made { pages: 2_000, ..MADE },
            Refusal("wanted more than 64 MB of memory"),
        ),
        made(
            "huge table at its start",
            Made { before: "(table 1000000 funcref)", ..MADE },
            Refusal("table"),
        ),
        configures("loops in configure", "loop", Refusal("took longer than 300ms")),
        configures(
            "eats memory in configure",
            "memory",
            Refusal("wanted more than 64 MB of memory"),
        ),
        configures("panics in configure", "panic", Refusal("crashed: boom at 5")),
        configures("sleeps in configure", "sleep", Refusal("took longer than 300ms")),
        configures("120 problems with its rules", "grumble", Refusal("no")),
    ]
}

fn in_a_turn() -> Vec<Case> {
    const LATE: &str = "took longer than 100ms";
    vec![
        handles("endless loop", "loop", Failure(LATE)),
        handles("endless host calls", "calls", Failure(LATE)),
        handles("endless reads of the store", "reads", Failure(LATE)),
        handles("endless searches of the calendar", "crons", Failure(LATE)),
        handles("sleeps an hour", "sleep", Failure(LATE)),
        Case {
            limits: "time_ms = 5000",
            ..handles("memory bomb", "memory", Failure("wanted more than 64 MB"))
        },
        Case {
            limits: "time_ms = 5000",
            ..handles("many small pieces of memory", "growth", Failure("wanted more than 64 MB"))
        },
        handles("deep recursion", "recursion", Failure("crashed: ")),
        handles("panic", "panic", Failure("crashed: boom at 5")),
        handles("exit", "exit", Failure("crashed: ")),
        handles("40 MB in one value", "huge", Failure("crashed: ")),
        handles("an error of its own", "error", Failure("said: I give up")),
        handles("an error of 55 KB", "long error", Failure("said: I give up. I give up.")),
        handles("an error of 11 MB", "huge error", Failure("crashed: ")),
        handles(
            "broadcast without a grant",
            "ungranted",
            Failure("has not been granted `broadcast`"),
        ),
        Case {
            text: "evil",
            ..handles("crashes for this contact alone", "picky", Failure("crashed: not you"))
        },
    ]
}

const NOTE: &str =
    r#"(import "switchboard:plugin/effects@0.1.0" "note" (func $note (param i32 i32 i32)))"#;
const BROADCAST: &str = r#"(import "switchboard:plugin/effects@0.1.0" "broadcast"
    (func $broadcast (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
const RANDOM: Made = Made {
    packages: &[
        "package wasi:random@0.2.0; interface random { get-random-bytes: func(len: u64) -> list<u8>; }",
    ],
    imports: "import wasi:random/random@0.2.0;",
    before: r#"(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))"#,
    ..MADE
};
const MOMENT: Made = Made {
    packages: &[
        "package wasi:io@0.2.0; interface poll { resource pollable { block: func(); } }",
        "package wasi:clocks@0.2.0; interface monotonic-clock { use wasi:io/poll@0.2.0.{pollable};
            subscribe-duration: func(when: u64) -> pollable; }",
    ],
    imports: "import wasi:io/poll@0.2.0; import wasi:clocks/monotonic-clock@0.2.0;",
    before: r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
            (func $later (param i64) (result i32)))
        (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#,
    ..MADE
};

fn made_in_a_turn() -> Vec<Case> {
    // Ten thousand strings of 64 KiB, all of them the same bytes.
    const ALIASED: &str = "(local $n i32)
        (loop $next
          (i32.store (i32.add (i32.const 100000) (i32.shl (local.get $n) (i32.const 3))) (i32.const 200000))
          (i32.store (i32.add (i32.const 100004) (i32.shl (local.get $n) (i32.const 3))) (i32.const 65536))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $n) (i32.const 10000))))
        (call $broadcast (i32.const 1024) (i32.const 4) (i32.const 100000) (i32.const 10000)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 4)
          (i32.const 600))";
    let of = |before, handle| Made { before, handle, ..MADE };
    vec![
        made(
            "deep recursion without memory",
            of(
                "(func $deep (param i64) (result i64)
            (i64.add (i64.const 1) (call $deep (i64.add (local.get 0) (i64.const 1)))))",
                "(drop (call $deep (i64.const 0)))",
            ),
            Failure("crashed: call stack exhausted"),
        ),
        made("unreachable", of("", "unreachable"), Failure("crashed: ")),
        made(
            "divides by zero",
            of("", "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
            Failure("crashed: integer divide by zero"),
        ),
        made(
            "writes outside its memory",
            of("", "(i32.store (i32.const -8) (i32.const 1))"),
            Failure("crashed: "),
        ),
        made(
            "calls a function that is none",
            of(
                "(type $t (func)) (table $none 1 funcref)",
                "(call_indirect $none (type $t) (i32.const 0))",
            ),
            Failure("crashed: "),
        ),
        made(
            "4 GiB string",
            of(NOTE, "(call $note (i32.const 0) (i32.const -1) (i32.const 600))"),
            Failure("crashed: "),
        ),
        made(
            "text that is not UTF-8",
            of(
                NOTE,
                "(i32.store (i32.const 2048) (i32.const -1)) (call $note (i32.const 2048) (i32.const 4) (i32.const 600))",
            ),
            Failure("crashed: "),
        ),
        made("strings that share their bytes", of(BROADCAST, ALIASED), Failure("crashed: ")),
        made(
            "a terabyte of chance",
            Made { handle: "(call $random (i64.const 0x10000000000) (i32.const 600))", ..RANDOM },
            Failure("random bytes asked for"),
        ),
        made(
            "chance without end",
            Made {
                handle: "(loop $more (global.set $heap (i32.const 900000)) (call $random (i64.const 60000) (i32.const 600)) (br $more))",
                ..RANDOM
            },
            Failure("took longer than 100ms"),
        ),
        made(
            "handles without end",
            Made { handle: "(loop $more (drop (call $later (i64.const 1))) (br $more))", ..MOMENT },
            Failure("crashed: "),
        ),
        made(
            "waits for next year",
            Made { handle: "(call $block (call $later (i64.const 31536000000000000)))", ..MOMENT },
            Failure("took longer than 100ms"),
        ),
        made(
            "waits for ever in short steps",
            Made {
                handle: "(loop $more (call $block (call $later (i64.const 1000))) (br $more))",
                ..MOMENT
            },
            Failure("took longer than 100ms"),
        ),
        made(
            "handle of another",
            Made { handle: "(call $block (i32.const 77))", ..MOMENT },
            Failure("crashed: "),
        ),
        made(
            "table that grows",
            of(
                "(table $grows 1 funcref)",
                "(local $n i32) (loop $more
            (drop (table.grow $grows (ref.null func) (i32.const 1000)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $n) (i32.const 100))))
            (if (i32.gt_u (table.size $grows) (i32.const 30000)) (then unreachable))",
            ),
            Bounded(""),
        ),
        made(
            "verdict that is none",
            of("", "(i64.store (i32.const 512) (i64.const 0x700000000)) (return (i32.const 512))"),
            Failure("crashed: "),
        ),
    ]
}

fn floods() -> Vec<Case> {
    vec![
        handles("10,000 effects", "effects", Bounded("9950 refused")),
        handles("10,000 keys", "keys", Bounded("9800 refused")),
        handles("3 MB of values", "bytes", Bounded("42 refused; a turn may write 524288 bytes")),
        Case {
            limits: "kv_mb = 1, time_ms = 1000",
            ..handles("values over the quota", "quota", Bounded(" held; "))
        },
        handles("log flood", "logs", Bounded("again")),
        Case {
            limits: "time_ms = 1000",
            ..handles("flood of reasons", "chatter", Bounded("\u{FFFD}[2Jxxx"))
        },
        Case { limits: "time_ms = 1000", ..handles("stdout flood", "prints", Bounded("")) },
        Case {
            limits: "time_ms = 1000",
            ..handles("messages without end", "bulk", Bounded("sent; the step `"))
        },
        handles("10,000 timers", "timers", Bounded("9950 refused")),
        handles("timer in 500 million years", "far", Bounded("ten years away at most")),
        handles("timers that set themselves", "storm", Bounded("")),
        handles(
            "writes to another contact",
            "others",
            Bounded("has not been granted `send_to_others`"),
        ),
        Case {
            grants: "send_to_others = true",
            ..handles(
                "writes to a contact that is none",
                "stranger",
                Bounded("`the-owner` is not a contact id"),
            )
        },
        handles("reads its input", "stdin", Bounded("0 lines")),
        made("another's name", Made { name: "faq", ..MADE }, Bounded("")),
        made(
            "summary that turns the line",
            Made { summary: r"\e2\80\aegnp.exe\1b[2J", ..MADE },
            Bounded(""),
        ),
        handles("answers every receipt", "echo", Bounded("")),
    ]
}
