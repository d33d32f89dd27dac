//! How the C library's allocator treats large blocks.

/// Large blocks go back to the system as soon as they are freed.
///
/// By itself glibc raises what it calls large to the size of whatever was freed, here the bytes of
/// a generation. Those are then cut out of a heap that has holes, and grows with the length of a
/// trace.
pub(crate) fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Where glibc begins.
        const LARGE: libc::c_int = 128 << 10;
        /// So much of the small blocks that were freed stays with each thread: analyses free those
        /// of a generation, and need as many for the next.
        const KEPT: libc::c_int = 4 << 20;
        // SAFETY: it only sets numbers of the allocator, and no other thread runs yet. Where it
        // fails, all is as before.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        }
    }
}
