//! The unit tests of the memory benchmark. It is an example, and cargo builds those as programs, without their tests.

#[path = "../examples/memory_benchmark/main.rs"]
#[expect(dead_code, reason = "here it is only tested")]
mod memory_benchmark;
