//! Recursion over boxes: allocating and freeing.
struct Node {
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
}

fn grow(depth: u32) -> Option<Box<Node>> {
    if depth == 0 {
        return None;
    }
    Some(Box::new(Node {
        left: grow(depth - 1),
        right: grow(depth - 1),
    }))
}

fn count(node: &Option<Box<Node>>) -> u32 {
    match node {
        None => 1,
        Some(node) => count(&node.left) + count(&node.right),
    }
}

fn main() {
    let leaves: u32 = (0..4).map(|_| count(&grow(16))).sum();
    println!("{leaves}");
}
