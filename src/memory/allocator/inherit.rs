//! `pthread_create`, in the place of the C library's: a new thread is told which test the thread that started it belongs
//! to. All versions of `std`, and C libraries in the executable, start their threads by it.
//!
//! The real function is the next of that name. Where the C library is linked statically there is no next one, and where
//! a sanitizer is at work it has a `pthread_create` of its own; this file is then left out (`build.rs`), as it is on other
//! systems, and what a thread does first tells where it belongs (`local::begin`).

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::domain::Domain;
use super::local;

/// What a thread runs. A thread may end by unwinding (`pthread_exit`, cancellation), which must get through.
type Routine = extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create =
    unsafe extern "C" fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Routine, *mut c_void) -> c_int;

/// What a new thread is told.
struct Start {
    domain: &'static Domain,
    routine: Routine,
    argument: *mut c_void,
}

/// Starts a thread as the C library does.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    routine: Routine,
    argument: *mut c_void,
) -> c_int {
    let Some(create) = real() else { return libc::EAGAIN };
    let Some(domain) = local::for_new_thread() else {
        // SAFETY: the caller's arguments, as they are.
        return unsafe { create(thread, attributes, routine, argument) };
    };
    let layout = Layout::new::<Start>();
    // SAFETY: the layout is not of size zero.
    let start = unsafe { System.alloc(layout) }.cast::<Start>();
    if start.is_null() {
        return libc::EAGAIN;
    }
    // SAFETY: it was just allocated for this type.
    unsafe { start.write(Start { domain, routine, argument }) };
    // SAFETY: the caller's arguments, and a routine that takes `start`.
    let failed = unsafe { create(thread, attributes, begin, start.cast()) };
    if failed != 0 {
        // SAFETY: no thread was started that could have it.
        unsafe { System.dealloc(start.cast(), layout) };
    }
    failed
}

extern "C-unwind" fn begin(start: *mut c_void) -> *mut c_void {
    let start = start.cast::<Start>();
    // SAFETY: `pthread_create` above wrote it for this thread alone, and allocated it with this layout.
    let Start { domain, routine, argument } = unsafe {
        let told = start.read();
        System.dealloc(start.cast(), Layout::new::<Start>());
        told
    };
    local::tell(domain);
    routine(argument)
}

/// The C library's function, looked up once.
fn real() -> Option<Create> {
    static REAL: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let mut real = REAL.load(Ordering::Relaxed);
    if real.is_null() {
        // SAFETY: the name ends with a zero.
        real = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
        REAL.store(real, Ordering::Relaxed);
    }
    // SAFETY: POSIX says what `pthread_create` is, and a function's address is a pointer here.
    (!real.is_null()).then(|| unsafe { mem::transmute::<*mut c_void, Create>(real) })
}
