//! The ground floor: caught panics, and locks that one process holds at a time.

use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kiln::files::{LockFile, write_together};
use kiln::panics::catch_panic;

static REPORTED: AtomicUsize = AtomicUsize::new(0);
/// Threads that take the lock, and how often each does.
const THREADS: usize = 8;
const ROUNDS: usize = 200;

/// The hook belongs to the process; no other test of this file panics.
#[test]
fn two_threads_that_catch_panics_leave_the_panic_hook_as_it_was() {
    let original = take_hook();
    set_hook(Box::new(|_: &PanicHookInfo| {
        REPORTED.fetch_add(1, Ordering::SeqCst);
    }));
    let both_inside = Barrier::new(2);
    let first_is_out = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let inside = std::panic::AssertUnwindSafe(|| {
                both_inside.wait();
                panic!("caught")
            });
            assert_eq!(catch_panic::<()>(inside), None);
            first_is_out.wait();
        });
        scope.spawn(|| {
            let inside = std::panic::AssertUnwindSafe(|| {
                both_inside.wait();
                first_is_out.wait();
                // Nested, and still silent.
                assert_eq!(catch_panic(|| panic!("caught")), None::<()>);
                7
            });
            assert_eq!(catch_panic(inside), Some(7));
        });
    });
    assert_eq!(
        REPORTED.load(Ordering::SeqCst),
        0,
        "caught panics are silent"
    );
    let panics = std::thread::spawn(|| panic!("reported")).join();
    set_hook(original);
    assert!(panics.is_err());
    assert_eq!(
        REPORTED.load(Ordering::SeqCst),
        1,
        "others are reported again"
    );
}

#[test]
fn a_lock_has_one_holder_and_its_file_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.lock");
    assert!(!LockFile::is_held(&path));
    let lock = LockFile::acquire(&path).unwrap().unwrap();
    assert!(LockFile::is_held(&path));
    assert!(LockFile::acquire(&path).unwrap().is_none());
    drop(lock);
    assert!(!LockFile::is_held(&path));
    assert!(!path.exists());
}

#[test]
fn a_lock_file_that_a_crash_left_behind_can_be_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.lock");
    std::fs::write(&path, "").unwrap();
    let lock = LockFile::acquire(&path).unwrap();
    assert!(lock.is_some());
    drop(lock);
    assert!(!path.exists());
}

/// Removing the file must not let in two holders: one that opened the old file, and one that creates a new file.
#[test]
fn a_lock_never_has_two_holders_although_its_file_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.lock");
    let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    take_once(&path, &holders, &taken);
                }
            });
        }
    });
    assert!(taken.load(Ordering::SeqCst) >= ROUNDS / 2);
    assert!(!path.exists());
}

fn take_once(path: &Path, holders: &AtomicUsize, taken: &AtomicUsize) {
    let Some(lock) = LockFile::acquire(path).unwrap() else {
        return std::thread::yield_now();
    };
    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two holders");
    taken.fetch_add(1, Ordering::SeqCst);
    std::thread::yield_now();
    holders.fetch_sub(1, Ordering::SeqCst);
    drop(lock);
}

#[test]
fn a_free_lock_is_taken_however_often_others_ask_whether_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.lock");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    LockFile::is_held(&path);
                }
            });
        }
        let refused = (0..2000)
            .filter(|_| LockFile::acquire(&path).unwrap().is_none())
            .count();
        is_over.store(true, Ordering::SeqCst);
        assert_eq!(refused, 0);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_keeps_another_process_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.lock");
    let lock = LockFile::acquire(&path).unwrap().unwrap();
    let is_free = || {
        let mut flock = Command::new("flock");
        flock.arg("--nonblock").arg(&path).arg("true");
        flock.status().unwrap().success()
    };
    assert!(!is_free());
    drop(lock);
    assert!(is_free());
}

/// Names and contents of a folder's files.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn files_that_belong_together_are_written_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("old"), "before").unwrap();
    let (old, new) = (path("old"), path("new"));
    // The temporary name is short enough, and the last one is not: the last step fails after two others.
    let long = path(&"x".repeat(300));
    let parts: [&[u8]; 2] = [b"af", b"ter"];
    let error = write_together(&[(&old, &parts), (&new, &parts), (&long, &parts)]).unwrap_err();
    assert_eq!(error.path(), long);
    assert!(!error.to_string().contains(".kiln-"), "{error}");
    assert_eq!(
        contents(folder.path()),
        [("old".to_string(), b"before".to_vec())]
    );
    write_together(&[(&old, &parts), (&new, &parts)]).unwrap();
    let after = |name: &str| (name.to_string(), b"after".to_vec());
    assert_eq!(contents(folder.path()), [after("new"), after("old")]);
}

#[cfg(unix)]
#[test]
fn a_link_among_files_that_belong_together_is_followed_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("file"), "before").unwrap();
    std::os::unix::fs::symlink("file", path("link")).unwrap();
    let long = path(&"x".repeat(300));
    let (link, parts): (_, [&[u8]; 1]) = (path("link"), [b"after"]);
    write_together(&[(&link, &parts), (&long, &parts)]).unwrap_err();
    assert_eq!(std::fs::read(path("file")).unwrap(), b"before");
    write_together(&[(&link, &parts)]).unwrap();
    assert_eq!(std::fs::read(path("file")).unwrap(), b"after");
    assert!(path("link").is_symlink());
}
