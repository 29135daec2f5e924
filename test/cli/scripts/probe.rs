// One script for the tests of the command line: its first argument says what it does.
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;
use std::io::{IsTerminal, Read, Write};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rest: Vec<&str> = args.iter().skip(2).map(String::as_str).collect();
    match args.get(1).map_or("args", String::as_str) {
        "env" => std::env::vars().for_each(|(name, value)| println!("{name}={value}")),
        "echo" => {
            std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).unwrap();
        }
        "first-byte" => {
            let mut byte = [0];
            std::io::stdin().read_exact(&mut byte).unwrap();
            println!("{}", byte[0]);
        }
        "both" => {
            println!("to stdout");
            eprintln!("to stderr");
        }
        "exit" => std::process::exit(rest[0].parse().unwrap()),
        "panic" => panic!("as asked"),
        "trap" => core::arch::wasm32::unreachable(),
        "spin" => {
            println!("spinning");
            loop {
                black_box(());
            }
        }
        "print" => print(rest[0].parse().unwrap()),
        "allocate" => println!("{}", black_box(vec![1u8; rest[0].parse().unwrap()]).len()),
        "descend" => println!("{}", descend(rest[0].parse().unwrap())),
        "read" => print!("{}", std::fs::read_to_string(rest[0]).unwrap()),
        "write" => std::fs::write(rest[0], vec![b'x'; rest[1].parse().unwrap()]).unwrap(),
        "open" => {
            let files: Vec<_> = rest.iter().map(|path| std::fs::File::open(path).unwrap()).collect();
            println!("{}", files.len());
        }
        "date" => {
            let now = std::time::SystemTime::now();
            println!("{}", now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs());
        }
        "stopwatch" => println!("{}", std::time::Instant::now().elapsed().as_secs()),
        "random" => println!("{}", RandomState::new().build_hasher().finish()),
        "not-text" => std::io::stdout().write_all(&[0xff, 0xfe, b'\n']).unwrap(),
        "terminal" => println!("{}", std::io::stdout().is_terminal()),
        "title" => {
            println!("\x1b]0;owned\x07\x1b[32mgreen\x1b[0m");
            std::process::exit(1);
        }
        _ => println!("{args:?}"),
    }
}

fn print(bytes: usize) {
    let line = [b'.'; 1024];
    let mut stdout = std::io::stdout().lock();
    for start in (0..bytes).step_by(line.len()) {
        stdout.write_all(&line[..line.len().min(bytes - start)]).unwrap();
    }
}

/// Deep in the engine's stack, shallow in the program's own.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == 0 { 0 } else { 1 + black_box(descend)(depth - 1) }
}
