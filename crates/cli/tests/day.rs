//! A day driven from outside on one machine: the command line's promises, one by one, with the
//! real program and its real files.

mod outside;
mod promises;

use libtest_mimic::{Arguments, Failed, Trial};

type Test = fn() -> Result<(), Failed>;

const TESTS: &[(&str, Test)] = &[
    ("a_first_day_from_set_up_to_the_printed_chart", promises::first::first_day),
    ("a_second_set_up_in_a_folder_is_refused_and_changes_nothing", promises::first::second_set_up),
    ("a_folder_that_cannot_be_written_is_told_in_words", promises::first::no_folder),
    (
        "the_same_home_is_shown_after_a_restart_and_after_the_views_are_gone",
        promises::first::restart,
    ),
    ("a_wrong_pin_is_refused_and_too_many_lock_out", promises::people::wrong_pin),
    ("a_code_of_the_chart_is_nobody_s_initials", promises::people::letters),
    (
        "a_name_that_would_steer_the_screen_is_refused",
        promises::people::names_that_steer_the_screen,
    ),
    ("a_suspended_person_may_not_act_until_reinstated", promises::people::suspended),
    ("who_may_not_write_orders_is_refused_with_the_rule", promises::people::roles),
    ("what_is_not_there_is_exit_code_6", promises::wrong::unknown),
    ("what_cannot_be_read_is_exit_code_4_and_named", promises::wrong::unreadable),
    ("a_wrong_command_is_exit_code_2", promises::wrong::wrong_commands),
    ("commands_of_later_issues_are_not_listed", promises::wrong::not_listed),
    ("whoever_stops_reading_ends_the_program_quietly", promises::wrong::closed_output),
    ("an_order_goes_from_draft_to_stop_with_two_people", promises::orders::life),
    ("a_changed_order_is_a_new_version_that_waits_again", promises::orders::versions),
    ("an_allergy_that_matches_is_refused_until_it_is_decided", promises::orders::allergy),
    ("a_dose_due_before_the_check_is_the_first_dose_now", promises::orders::first_dose),
    ("a_first_dose_too_near_the_next_is_not_handed_over", promises::orders::near_dose),
    (
        "a_dose_recorded_before_the_check_is_not_told_to_be_given",
        promises::orders::recorded_before_the_check,
    ),
    ("a_page_that_cannot_be_checked_names_the_order", promises::orders::page),
    ("the_same_medicine_twice_asks_whether_it_is_meant", promises::orders::twin),
    (
        "an_order_that_is_hardly_meant_is_refused_until_its_writer_names_it",
        promises::orders::hardly_meant,
    ),
    ("what_differs_from_the_words_is_refused_until_told", promises::imported::not_as_read),
    ("a_when_required_dose_waits_out_its_interval", promises::doses::when_required_dose),
    (
        "the_card_says_what_is_not_to_be_given_now_and_why",
        promises::doses::card_of_what_is_not_to_be_given,
    ),
    ("the_count_of_a_rescue_medicine_is_said_and_refuses_nothing", promises::doses::rescue),
    ("a_controlled_drug_takes_a_witness", promises::doses::controlled),
    ("an_outcome_names_the_flag_that_it_lacks", promises::doses::meanings),
    ("what_no_order_let_anybody_give_is_told", promises::doses::outside_the_order),
    ("a_record_is_corrected_and_its_original_stays", promises::doses::corrected),
    ("nobody_is_given_anything_while_in_hospital", promises::doses::hospital),
    ("a_dose_that_goes_past_the_most_says_so_before", promises::doses::past_the_most),
    ("what_was_given_after_the_stop_is_listed_and_marked", promises::doses::given_after_the_stop),
    ("importing_twice_changes_nothing", promises::imported::twice),
    ("an_import_of_people_without_a_number_keeps_them_apart", promises::apart_people::no_number),
    ("an_import_never_gives_one_person_what_is_anothers", promises::apart_people::same_number),
    ("an_import_finds_a_person_under_another_name", promises::apart_people::same_person),
    ("what_was_imported_is_shown_as_waiting", promises::imported::shown_while_waiting),
    ("a_bad_file_stops_no_other_and_writes_nothing", promises::imported::bad_file),
    ("a_proposal_is_confirmed_by_one_and_checked_by_another", promises::imported::confirmed),
    ("directions_are_read_with_and_without_a_home", promises::imported::directions),
    ("commands_are_carried_out_by_a_running_serve", promises::serving::beside),
    ("two_devices_that_never_met_meet_at_a_typed_address_and_remember_it", promises::apart::meet),
    (
        "what_two_devices_wrote_without_each_other_is_told_on_both_once_they_met",
        promises::apart::unheard_of,
    ),
    ("a_device_that_was_put_out_says_so_and_records_nothing", promises::apart::put_out),
    ("the_practice_home_plays_a_day_on_two_devices", promises::serving::demo),
    (
        "an_import_of_a_person_with_nothing_but_a_name_takes_nobody_in",
        promises::apart_people::nothing_but_a_name,
    ),
    ("an_older_file_imported_again_sets_nothing_back", promises::apart_people::an_older_file_again),
    ("a_follow_up_is_taken_asked_about_and_closed", promises::follow_up::closed),
    ("a_follow_up_is_opened_and_closed_by_whoever_may_and_with_words", promises::follow_up::opened),
    ("a_slot_that_was_given_twice_is_listed_as_given_twice", promises::doses::given_twice),
    ("one_sheet_of_several_that_is_not_written_is_named", promises::first::one_sheet_of_several),
    ("an_import_of_an_empty_folder_says_so", promises::imported::empty_folder),
];

fn main() {
    let trials = TESTS.iter().map(|(name, test)| Trial::test(*name, *test)).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
