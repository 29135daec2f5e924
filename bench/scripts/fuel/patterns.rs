//! A matcher of patterns with `.`, `*` and classes, by backtracking.
enum Piece {
    Any,
    Byte(u8),
    Digit,
    Word,
}

struct Item {
    piece: Piece,
    repeated: bool,
}

fn parse(pattern: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        let piece = match byte {
            b'*' => {
                items.last_mut().unwrap().repeated = true;
                continue;
            }
            b'.' => Piece::Any,
            b'\\' => match bytes.next().unwrap() {
                b'd' => Piece::Digit,
                b'w' => Piece::Word,
                other => Piece::Byte(other),
            },
            other => Piece::Byte(other),
        };
        items.push(Item {
            piece,
            repeated: false,
        });
    }
    items
}

fn fits(piece: &Piece, byte: u8) -> bool {
    match piece {
        Piece::Any => byte != b'\n',
        Piece::Byte(expected) => byte == *expected,
        Piece::Digit => byte.is_ascii_digit(),
        Piece::Word => byte.is_ascii_alphanumeric() || byte == b'_',
    }
}

/// Bytes of the longest match at the start of the text.
fn matched(items: &[Item], text: &[u8]) -> Option<usize> {
    let Some((item, rest)) = items.split_first() else {
        return Some(0);
    };
    if !item.repeated {
        let (&byte, after) = text.split_first()?;
        return if fits(&item.piece, byte) {
            Some(1 + matched(rest, after)?)
        } else {
            None
        };
    }
    let longest = text
        .iter()
        .take_while(|&&byte| fits(&item.piece, byte))
        .count();
    (0..=longest)
        .rev()
        .find_map(|length| Some(length + matched(rest, &text[length..])?))
}

fn main() {
    let lines: String = (0..5_000)
        .map(|n| {
            format!(
                "user_{n}@host{}.example took {} ms\n",
                n % 97,
                n * 31 % 1_009
            )
        })
        .collect();
    let items = parse("\\w\\w*@\\w*.example.*\\d\\d* ms");
    let (mut at, mut found) = (0, 0);
    while at < lines.len() {
        match matched(&items, &lines.as_bytes()[at..]) {
            Some(length) if length > 0 => {
                found += 1;
                at += length;
            }
            _ => at += 1,
        }
    }
    println!("{found}");
}
