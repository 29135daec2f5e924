//! A recursive parser over bytes.
struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: u32) -> u32 {
        match self.bytes[self.at] {
            b'[' => self.list(depth),
            b'"' => self.text(depth),
            _ => self.number(depth),
        }
    }

    fn list(&mut self, depth: u32) -> u32 {
        let mut deepest = depth;
        self.at += 1;
        while self.bytes[self.at] != b']' {
            deepest = deepest.max(self.value(depth + 1));
            if self.bytes[self.at] == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        deepest
    }

    fn text(&mut self, depth: u32) -> u32 {
        self.at += 1;
        while self.bytes[self.at] != b'"' {
            self.at += 1;
        }
        self.at += 1;
        depth
    }

    fn number(&mut self, depth: u32) -> u32 {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        depth
    }
}

fn main() {
    let items: Vec<String> = (0..10_000)
        .map(|n| format!("[[{n},\"abc{n}\"],[[{n}]]]"))
        .collect();
    let text = format!("[{}]", items.join(","));
    let total: u32 = (0..20)
        .map(|_| {
            Parser {
                bytes: text.as_bytes(),
                at: 0,
            }
            .value(0)
        })
        .sum();
    println!("{total}");
}
