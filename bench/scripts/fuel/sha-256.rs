//! Integer arithmetic: the compression function of SHA-256.
const ROUNDS: [u32; 64] = round_constants();

/// Not the standard's constants: no digest is wanted, only the work.
const fn round_constants() -> [u32; 64] {
    let mut constants = [0x428a_2f98u32; 64];
    let mut i = 1;
    while i < 64 {
        constants[i] = constants[i - 1].wrapping_mul(0x9e37_79b1).rotate_left(7);
        i += 1;
    }
    constants
}

fn compress(state: &mut [u32; 8], block: &[u32; 16]) {
    let mut w = [0u32; 64];
    w[..16].copy_from_slice(block);
    for i in 16..64 {
        let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
        let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16]
            .wrapping_add(s0)
            .wrapping_add(w[i - 7])
            .wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for i in 0..64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let one = h
            .wrapping_add(s1)
            .wrapping_add(choice)
            .wrapping_add(ROUNDS[i])
            .wrapping_add(w[i]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let two = s0.wrapping_add(majority);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(new);
    }
}

fn main() {
    let mut state = [0x6a09_e667u32; 8];
    for n in 0..60_000u32 {
        compress(
            &mut state,
            &std::array::from_fn(|i| n.wrapping_mul(i as u32 + 1)),
        );
    }
    println!("{state:x?}");
}
