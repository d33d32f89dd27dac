//! A timeline of a Go execution trace in the browser: an index of what every goroutine, proc and
//! thread did, and a server that shows any stretch of it at any scale.

mod annotated;
pub mod api;
mod asker;
pub mod bins;
pub mod flame;
pub mod guard;
pub mod index;
pub mod kept;
pub mod labels;
pub mod lane;
pub mod marks;
pub mod matches;
pub mod moves;
mod search;
pub mod selection;
pub mod server;
pub mod state;
pub mod store;
mod stretch;
pub mod tile;
pub mod view;
pub mod work;
