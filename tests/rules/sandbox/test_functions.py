"""Every function of the DuckDB that is installed is either allowed, or left out on purpose."""

from __future__ import annotations

import duckdb

from rules.sandbox.functions import FUNCTIONS, TABLE_FUNCTIONS

# After an update of DuckDB, decide for each new function: name it in functions.py if it can only
# compute, here if it can read, write, wait, run SQL or show what is inside of DuckDB.
LEFT_OUT = {
    "alias",
    "assert_true",
    "bitstring_byte_comparable",
    "col_description",
    "combine",
    "combine_aggr",
    "constant_or_null",
    "create_sort_key",
    "current_catalog",
    "current_connection_id",
    "current_database",
    "current_query",
    "current_query_id",
    "current_role",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_transaction_id",
    "current_user",
    "currval",
    "decimal_average",
    "decimal_division",
    "error",
    "finalize",
    "format_pg_type",
    "format_type",
    "get_block_size",
    "get_type",
    "getvariable",
    "hive_partition_component",
    "in_search_path",
    "index_key",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "invoke",
    "is_histogram_other_bin",
    "json_copy_strftime_if_date",
    "json_copy_strftime_if_timestamp",
    "json_deserialize_sql",
    "json_serialize_plan",
    "json_serialize_sql",
    "make_type",
    "map_to_pg_oid",
    "map_type_id_to_pg_oid",
    "nextval",
    "obj_description",
    "parse_duckdb_log_message",
    "remap_struct",
    "replace_type",
    "session_user",
    "setseed",
    "setval",
    "shobj_description",
    "sleep_ms",
    "st_asbinary",
    "st_asgeojson",
    "st_astext",
    "st_aswkb",
    "st_aswkt",
    "st_crs",
    "st_geomfromgeojson",
    "st_geomfromwkb",
    "st_intersects_extent",
    "st_setcrs",
    "stats",
    "switch",
    "timetz_byte_comparable",
    "to_aggregate_state",
    "txid_current",
    "unpivot_list",
    "user",
    "variant_array_length",
    "variant_bytes_to_variant",
    "variant_comparator",
    "variant_contains",
    "variant_exists",
    "variant_extract",
    "variant_extract_string",
    "variant_group_array",
    "variant_group_object",
    "variant_keys",
    "variant_normalize",
    "variant_to_parquet_variant",
    "variant_type",
    "variant_typeof",
    "vector_type",
    "version",
    "vertex_extract",
    "write_log",
}
INSIDE = ("__", "collate_", "icu_", "is distinct", "is not distinct", "pg_", "has_")


def names(*kinds: str) -> set[str]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions() "
            "WHERE list_contains(?, function_type)",
            [list(kinds)],
        ).fetchall()
    return {name for (name,) in rows}


def test_every_function_is_decided():
    known = {
        each
        for each in names("scalar", "aggregate", "macro", "window")
        if not each.startswith(INSIDE)
    }
    assert not known - FUNCTIONS - LEFT_OUT
    assert not FUNCTIONS & LEFT_OUT


def test_no_function_is_allowed_that_isnt_there():
    # These are the parser's, not functions, or go by another name inside.
    parsed = {"!", "!~~~", "->", "<>", "==", "coalesce", "ifnull", "unnest"}
    parsed |= {"current_time", "current_timestamp", "localtime", "localtimestamp"}
    assert not FUNCTIONS - names("scalar", "aggregate", "macro", "window") - parsed


def test_no_table_function_but_those_that_read_their_arguments():
    assert names("table", "scalar") | {"unnest"} >= TABLE_FUNCTIONS
    assert not TABLE_FUNCTIONS & names("table_macro")
