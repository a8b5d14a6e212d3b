//! A part of the layout that a test looks at.

fn main() {
    let _ = std::net::TcpListener::bind("0.0.0.0:7000");
}
