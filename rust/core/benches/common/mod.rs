//! Values to measure with: a chat of 1,000 messages, and a long text.
#![allow(dead_code, reason = "each benchmark uses its part")]

/// A list of messages as LangGraph stores them: an ext each, about 600 bytes of msgpack.
pub fn chat(messages: u32) -> Vec<u8> {
    let mut value = vec![0xdd];
    value.extend(messages.to_be_bytes());
    for index in 0..messages {
        let body = message(index);
        value.push(0xc8);
        value.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
        value.push(5);
        value.extend(body);
    }
    value
}

/// Words that repeat as words do, no sentence twice.
pub fn prose(len: usize, seed: u32) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "the ", "agent ", "asks ", "for ", "a ", "tool ", "and ", "waits ", "until ", "its ",
        "answer ", "comes ", "back ", "with ", "numbers ", "then ",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        text.extend_from_slice(WORDS[(state >> 28) as usize].as_bytes());
        if state.is_multiple_of(8) {
            text.extend_from_slice(state.to_string().as_bytes());
        }
    }
    text.truncate(len);
    text
}

fn message(index: u32) -> Vec<u8> {
    let mut body = vec![0x94];
    text(&mut body, b"langchain_core.messages.ai");
    text(&mut body, b"AIMessage");
    body.push(0x83);
    text(&mut body, b"content");
    text(&mut body, &prose(300 + (index as usize * 37) % 250, index));
    text(&mut body, b"additional_kwargs");
    body.push(0x80);
    text(&mut body, b"id");
    text(
        &mut body,
        format!("run--{:032x}", u128::from(index).wrapping_mul(0x9e37_79b9_7f4a)).as_bytes(),
    );
    text(&mut body, b"model_validate_json");
    body
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(0xda);
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text);
}
