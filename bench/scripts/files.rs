//! Work on files, for three ways to run the same program: `read|write|small DIRECTORY COUNT`, where the count is of pieces, or of
//! directories of small files. Prints the nanoseconds that the work took, and exits with 1 where the bytes do not add up.
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::process::exit;
use std::time::Instant;

const PIECE: usize = 64 * 1024;
const FILES: usize = 100;
const SMALL: usize = 1000;

/// Where an allocation lies depends on what was allocated before, the names of the mounts among it, and a system copies up to half
/// as slowly again to and from an address that is no multiple of 32.
#[repr(align(4096))]
struct Piece([u8; PIECE]);

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let directory = &args[2];
    let count: usize = args[3].parse().unwrap();
    let started = Instant::now();
    let (moved, expected) = match args[1].as_str() {
        "read" => (read(directory)?, count * PIECE),
        "write" => (write(directory, count)?, count * PIECE),
        // Counted twice: what stat says, and what was read.
        "small" => (small(directory, count)?, 2 * count * FILES * SMALL),
        _ => exit(2),
    };
    println!("{}", started.elapsed().as_nanos());
    exit(if moved == expected { 0 } else { 1 });
}

fn read(directory: &str) -> std::io::Result<usize> {
    let mut file = File::open(format!("{directory}/bulk"))?;
    let mut piece = Box::new(Piece([0; PIECE]));
    let mut total = 0;
    loop {
        match file.read(&mut piece.0)? {
            0 => return Ok(total),
            got => total += got,
        }
    }
}

fn write(directory: &str, pieces: usize) -> std::io::Result<usize> {
    let path = format!("{directory}/written");
    let mut file = File::create(&path)?;
    let piece = Box::new(Piece([7; PIECE]));
    for _ in 0..pieces {
        file.write_all(&piece.0)?;
    }
    // Not counted here: how far the host has come.
    let written = file.stream_position()? as usize;
    drop(file);
    // Where the next run would empty the file instead, ext4 would put its bytes on the disk when it is closed.
    fs::remove_file(&path)?;
    Ok(written)
}

fn small(directory: &str, directories: usize) -> std::io::Result<usize> {
    let mut total = 0;
    for folder in 0..directories {
        for file in 0..FILES {
            let path = format!("{directory}/{folder}/{file}");
            total += fs::metadata(&path)?.len() as usize;
            total += fs::read(&path)?.len();
        }
    }
    Ok(total)
}
