import type { FunctionType } from "../wasm/module.ts";
import { ValueType } from "../wasm/value-types.ts";

/** The module name under which WASI preview 1 is imported. */
export const PREVIEW1_MODULE = "wasi_snapshot_preview1";

/**
 * Parameters of each function of WASI preview 1, `i` being an i32 and `l` an i64. All of them return an errno, an i32,
 * but for `proc_exit`, which does not return.
 */
const PARAMETERS = {
  args_get: "ii",
  args_sizes_get: "ii",
  environ_get: "ii",
  environ_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "ili",
  fd_advise: "illi",
  fd_allocate: "ill",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "ill",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "il",
  fd_filestat_set_times: "illi",
  fd_pread: "iiili",
  fd_prestat_get: "ii",
  fd_prestat_dir_name: "iii",
  fd_pwrite: "iiili",
  fd_read: "iiii",
  fd_readdir: "iiili",
  fd_renumber: "ii",
  fd_seek: "ilii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiilli",
  path_link: "iiiiiii",
  path_open: "iiiiillii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
} as const;

/**
 * Type of each function of WASI preview 1. A host function takes whatever it is called with, so the types that a module
 * declares are checked here: a 64-bit parameter arrives as a bigint, and the host relies on which ones do.
 */
export const PREVIEW1_FUNCTIONS: ReadonlyMap<string, FunctionType> = new Map(
  Object.entries(PARAMETERS).map(([name, letters]) => [
    name,
    {
      params: Array.from(letters, (letter) => (letter === "l" ? ValueType.i64 : ValueType.i32)),
      results: name === "proc_exit" ? [] : [ValueType.i32],
    },
  ]),
);
