//! Components made from others: the same plugin in other bytes.

/// The same with a remark at its end: for the host, another plugin.
pub fn remarked(component: &[u8], remark: &str) -> Vec<u8> {
    let mut content = Vec::new();
    put(&mut content, b"remark");
    content.extend_from_slice(remark.as_bytes());
    with_section(component, 0, &content)
}

/// The same with a module beside it that nothing uses and that takes a
/// compiler long: `functions` of 1 KB each.
pub fn swollen(component: &[u8], functions: u32) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // One type: from one number to another.
    section(&mut module, 1, b"\x01\x60\x01\x7f\x01\x7f");
    let mut types = Vec::new();
    number(&mut types, functions);
    types.extend((0..functions).map(|_| 0));
    section(&mut module, 3, &types);
    let mut bodies = Vec::new();
    number(&mut bodies, functions);
    for function in 0..functions {
        put(&mut bodies, &body(function));
    }
    section(&mut module, 10, &bodies);
    with_section(component, 1, &module)
}

/// The same with a component within that holds a module.
pub fn nested(component: &[u8]) -> Vec<u8> {
    let inner = with_section(b"\0asm\x0d\0\x01\0", 1, b"\0asm\x01\0\0\0");
    with_section(component, 4, &inner)
}

/// Arithmetic on the one argument, which can't be simplified away.
fn body(function: u32) -> Vec<u8> {
    let mut code = vec![0, 0x20, 0];
    for round in 0..110 {
        // i32.const n, i32.mul, local.get 0, i32.xor, i32.const 7, i32.rotl
        code.push(0x41);
        number(&mut code, (function.wrapping_mul(2_654_435_761) >> 8) + round * 2 + 1);
        code.extend_from_slice(&[0x6c, 0x20, 0, 0x73, 0x41, 7, 0x77]);
    }
    code.push(0x0b);
    code
}

fn with_section(component: &[u8], id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    section(&mut bytes, id, content);
    bytes
}

fn section(into: &mut Vec<u8>, id: u8, content: &[u8]) {
    into.push(id);
    put(into, content);
}

/// The length, then the bytes.
fn put(into: &mut Vec<u8>, bytes: &[u8]) {
    number(into, bytes.len() as u32);
    into.extend_from_slice(bytes);
}

/// As LEB128, in a form that is right for signed numbers too.
fn number(into: &mut Vec<u8>, mut number: u32) {
    while number >= 0x40 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}
