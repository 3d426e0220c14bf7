//! How much a client may ask for.

use std::time::Duration;

/// Bytes of a request's body: a photograph of 50 megapixels as a good JPEG has 25 MB.
pub const MAX_BODY: usize = 64 << 20;
/// Bytes of all bodies in memory together.
pub const MAX_BODIES: usize = 512 << 20;
/// Pixels of an image: telephones have up to 200 megapixels, but write 12 to 50.
pub const MAX_PIXELS: u64 = 64_000_000;
/// Pages of a document that one request reads.
pub const MAX_PAGES: usize = 50;
/// Bytes of the headers of a request.
pub const MAX_HEADERS: usize = 32 << 10;
/// Time for the headers of a request to arrive, and for the next request on a connection.
pub const HEADER_TIME: Duration = Duration::from_secs(10);
/// Time between two pieces of a body ...
pub const BODY_PIECE_TIME: Duration = Duration::from_secs(10);
/// ... and for all of it: a telephone sends 25 MB in 20 seconds.
pub const BODY_TIME: Duration = Duration::from_secs(60);
/// Time for an answer, with that in the queue.
pub const ANSWER_TIME: Duration = Duration::from_secs(120);
/// Time without a byte of an answer being taken, after which the connection is closed ...
pub const WRITE_TIME: Duration = Duration::from_secs(20);
/// ... and for all of an answer: 64 MB at one megabit a second.
pub const SEND_TIME: Duration = Duration::from_secs(600);
/// Bytes of all large answers in memory together.
pub const MAX_ANSWERS: usize = 256 << 20;
/// Connections at a time; beyond, one is closed for the next: one without a request in progress, or else one that stands still.
pub const MAX_CONNECTIONS: usize = 512;
/// Time in which a new connection is not closed for another one, even if it has sent nothing yet. Of many strangers that connect at once, only
/// so many come in during this time; the others wait.
pub const ARRIVAL_TIME: Duration = Duration::from_millis(100);
/// How long a connection waits for a place when none of the others may be closed.
pub const PLACE_TIME: Duration = Duration::from_secs(1);
/// Streams of events at a time: each keeps a connection.
pub const MAX_STREAMS: usize = 64;
/// Images that are decoded, or decoded and waiting to be read, at a time.
pub const MAX_DECODED: usize = 2;
/// Pictures of a run's samples that are drawn at a time.
pub const MAX_PICTURES: usize = 2;
/// Images that go through a network at once.
pub const BATCH: usize = 64;
/// Time for the requests in progress when the server is asked to stop.
pub const STOP_TIME: Duration = Duration::from_secs(30);
/// Runs that are compared at a time.
pub const MAX_COMPARED: usize = 24;
