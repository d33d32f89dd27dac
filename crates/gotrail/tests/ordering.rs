//! The order of events in every situation that the format knows: each scenario is a file in
//! `tests/ordering` with a small trace and the events that Go's own reader delivers.

mod common;

use common::scenario::Scenario;
use common::{Outcome, resumed, streamed, strict, tolerant};
use gotrail::{Mode, Reader, Trace};

/// Reads the trace of a scenario in every way.
fn check(name: &str) {
    let scenario = Scenario::load(name);
    let bytes = scenario.bytes();
    let outcome = strict(&bytes);
    assert_eq!(outcome.text(), scenario.events);
    assert_end(&outcome, &scenario.end);

    streamed(&bytes, 1).assert_same(&outcome, "streamed byte by byte");
    streamed(&bytes, usize::MAX).assert_same(&outcome, "streamed");

    let mut reader = Reader::from_slice(&bytes, Mode::Strict).unwrap();
    let result = reader.drain();
    assert_eq!(reader.events_delivered(), outcome.events.len() as u64, "counted");
    let errors = (result.err(), &outcome.error);
    assert_eq!(errors.0.map(|e| e.to_string()), errors.1.as_ref().map(|e| e.to_string()));

    let (all, report) = tolerant(&bytes);
    assert!(all.events.len() + report.misuses.len() >= outcome.events.len(), "tolerant: fewer");
    if outcome.error.is_some() {
        assert!(!report.is_complete() || !report.misuses.is_empty(), "tolerant: nothing reported");
    } else if report.is_complete() {
        all.assert_same(&outcome, "tolerant");
        let trace = Trace::from_bytes(bytes.clone()).unwrap();
        let parts = resumed(&trace);
        assert_eq!(parts.events, outcome.events[..outcome.events.len() - 1], "resumed");
    }
}

fn assert_end(outcome: &Outcome, expected: &str) {
    match (&outcome.error, expected.strip_prefix("error")) {
        (None, None) => {}
        (Some(error), Some(part)) => {
            assert!(error.to_string().contains(part.trim()), "{error}");
            assert_eq!(error.place().event, Some(outcome.events.len() as u64), "{error}");
        }
        (error, _) => panic!("expected {expected}, found {error:?}"),
    }
}

macro_rules! scenarios {
    ($($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_scenario_is_listed() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ordering");
            let listed = [$(stringify!($name)),*];
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(listed.contains(&name), "{name} is not listed");
            }
        }
    };
}

scenarios! {
    thread_id_used_again_after_a_goroutine_ended_in_a_syscall,
    abandoned_proc_is_stolen_by_another_thread_later,
    goroutine_created_in_a_syscall_on_a_thread_that_kept_its_proc,
    abandoned_proc_of_a_known_thread_is_promoted,
    abandoned_proc_passes_through_as_idle,
    abandoned_proc_that_is_unknown_is_taken_as_found,
    abandoned_proc_that_no_thread_holds,
    goroutine_in_a_syscall_on_the_wrong_thread_in_a_later_generation,
    goroutine_in_a_syscall_on_a_thread_that_does_not_have_it,
    goroutine_in_a_syscall_for_three_generations,
    goroutine_in_a_syscall_without_a_thread,
    thread_that_was_tried_but_waits_counts_as_known,
    syscall_that_lost_its_proc_waits_for_the_steal,
    thread_steals_its_own_proc,
    proc_is_stolen_from_a_thread_that_does_not_have_it,
    proc_is_stolen_from_a_thread_that_never_appeared,
    proc_starts_wait_while_the_thread_holds_one,
    syscall_with_a_wrong_sequence_number_does_not_wait,
    coroutine_switch_makes_three_events,
    coroutine_switch_waits_until_the_other_one_waits,
    coroutine_that_is_blocked_has_a_status_with_a_stack,
    tasks_live_across_generations,
    regions_live_across_generations,
    region_that_is_not_the_innermost_ends,
    task_that_is_active_begins_again,
    garbage_collection_lives_across_generations,
    garbage_collection_events_of_two_threads_follow_their_numbers,
    garbage_collection_is_said_twice_to_be_active,
    garbage_collection_ends_that_never_began,
    mark_assist_and_sweep_live_across_generations,
    mark_assist_that_never_began_is_active,
    sweep_that_is_active_twice,
    stopped_world_across_generations_keeps_the_id_of_its_reason,
    stopped_world_twice_for_the_same_reason,
    sequence_numbers_restart_in_each_generation,
    sequence_number_of_the_generation_before,
    equal_times_of_several_threads,
    times_that_go_backwards,
    cpu_samples_at_the_instant_of_an_event,
    cpu_samples_of_one_instant,
    experimental_batches_and_events,
    experimental_event_without_a_thread,
    experimental_batch_of_experiment_0_is_an_ordinary_one,
    unknown_goroutine_after_the_first_generation,
    unknown_proc_after_the_first_generation_did_not_exist,
    status_that_contradicts_what_is_known,
    status_beyond_those_that_exist,
    batches_without_a_thread,
    goroutine_starts_on_a_thread_that_has_one,
    goroutine_is_created_that_exists,
    no_thread_can_go_on,
    event_among_a_threads_that_has_no_rule,
    generations_end_where_the_next_begins,
    generation_numbers_that_skip_before_1_26,
    generation_numbers_that_wrap_around,
    generation_0,
    an_event_ends_a_generation_from_1_26_on,
    batch_that_begins_with_the_end_of_a_generation,
    batch_that_begins_with_the_end_of_a_generation_before_1_26,
    end_of_a_generation_between_batches_before_1_26,
    end_of_a_generation_that_never_began,
    generation_without_its_end_from_1_26_on,
    tables_at_the_end_of_a_trace_from_1_26_on,
    header_and_nothing_else_before_1_26,
    header_and_nothing_else_from_1_26_on,
    error_in_the_first_batch_of_the_next_generation,
    error_in_a_later_batch_of_the_next_generation,
    last_generation_is_cut_off_after_its_frequency,
    event_that_cannot_be_read_holds_the_one_before_back,
    event_that_cannot_be_read_wins_over_an_unknown_id,
    first_event_of_a_thread_cannot_be_read,
    strings_that_end_inside_an_entry,
    stacks_that_end_inside_an_entry,
    stacks_that_end_inside_a_frame,
    cpu_samples_that_end_inside_an_entry,
    clock_snapshot_that_ends_inside,
    strings_that_end_inside_a_number,
    unknown_string_of_an_event,
    unknown_stack_of_a_new_goroutine,
    unknown_name_of_a_task,
    strings_of_the_generation_before,
    unknown_string_of_a_frame,
    first_frame_of_a_program_counter_wins,
    two_strings_of_one_id,
    two_stacks_of_one_id,
    string_of_id_0,
    stack_of_id_0,
    large_ids,
    batch_of_absurd_size,
    string_of_absurd_length,
    stack_of_absurd_depth,
    number_that_does_not_fit,
    two_frequencies,
    generation_without_a_clock_snapshot,
    frequencies_that_are_hard_to_convert,
    earliest_batch_begins_the_generation,
    wall_clocks_far_away,
    events_of_a_newer_version,
    labels_logs_and_metrics,
    goroutine_lives_and_dies,
    goroutine_is_unblocked_by_a_later_clock,
    error_of_a_thread_that_is_only_tried,
    retries_of_12_threads_at_one_instant,
    retries_of_12_threads_at_few_instants,
    retries_of_13_threads_at_one_instant,
    retries_of_13_threads_at_few_instants,
    retries_of_20_threads_at_one_instant,
    retries_of_20_threads_at_few_instants,
    retries_of_60_threads_at_one_instant,
    retries_of_60_threads_at_few_instants,
}

/// Four things Go's reader lets pass, and then it crashes when the event is printed: there is no
/// text to compare with. Here they are errors, after the events before them.
#[test]
fn what_the_reference_cannot_print_is_an_error() {
    let head = "Trace Go1.23\nclock gen=1\nthread 5 gen=1 time=10\nProcStatus dt=1 p=0 pstatus=1\n";
    let cases = [
        (
            "clock gen=2 time=50\nthread -1 gen=2 time=50\nCPUSamples\n\
             CPUSample time=60 m=5 p=0 g=4 stack=7",
            3,
            "CPUSample refers to stack 7",
        ),
        (
            "GoStatus dt=1 g=4 m=5 gstatus=2\nSTWBegin dt=1 kind_string=1 stack=0\n\
             strings gen=1 why\nclock gen=2 time=50\nthread 5 gen=2 time=60\nSTWEnd dt=1",
            5,
            "STWEnd refers to string 1",
        ),
        ("ProcStatus dt=1 p=1 pstatus=257", 2, "invalid status 257 for proc 1"),
        (
            "clock gen=2 time=50\nExperimentalBatch exp=2 gen=2 m=5 time=60\n\tdata=\"\\x01\"",
            2,
            "unknown experiment 2",
        ),
    ];
    for (rest, events, message) in cases {
        let outcome = strict(&common::scenario::to_bytes(&format!("{head}{rest}\n")));
        assert_eq!(outcome.events.len(), events, "{message}");
        let error = outcome.error.expect(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}
