//! Floating point over small arrays.
#[derive(Clone, Copy)]
struct Body {
    position: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

const STEP: f64 = 0.001;

fn advance(bodies: &mut [Body]) {
    for i in 0..bodies.len() {
        for j in i + 1..bodies.len() {
            let mut delta = [0.0; 3];
            for axis in 0..3 {
                delta[axis] = bodies[i].position[axis] - bodies[j].position[axis];
            }
            let square: f64 = delta.iter().map(|d| d * d).sum();
            let pull = STEP / (square * square.sqrt());
            let (mass_i, mass_j) = (bodies[i].mass, bodies[j].mass);
            for axis in 0..3 {
                bodies[i].velocity[axis] -= delta[axis] * mass_j * pull;
                bodies[j].velocity[axis] += delta[axis] * mass_i * pull;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.position[axis] += STEP * body.velocity[axis];
        }
    }
}

fn main() {
    let body = |position, velocity, mass| Body {
        position,
        velocity,
        mass,
    };
    let mut bodies = [
        body([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.0),
        body([4.8, -1.1, -0.1], [0.6, 2.8, -0.02], 0.03),
        body([8.3, 4.1, -0.4], [-1.0, 1.8, 0.008], 0.01),
        body([12.0, -15.0, -0.2], [1.0, 0.8, -0.01], 0.001),
        body([15.0, -25.0, 0.1], [0.9, 0.5, -0.03], 0.002),
    ];
    for _ in 0..150_000 {
        advance(&mut bodies);
    }
    println!("{:.6}", bodies[0].position[0]);
}
