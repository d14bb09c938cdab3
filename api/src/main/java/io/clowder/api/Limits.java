// SPDX-License-Identifier: Apache-2.0
package io.clowder.api;

/**
 * Every bound of the runtime in one place. What would exceed one is refused with {@link
 * CoordinationException.Reason#TOO_LARGE} or {@link CoordinationException.Reason#OVERLOADED}, never
 * dropped in silence.
 */
public final class Limits {
  /** Longest key of the map and longest name of a lock, in bytes of UTF-8. */
  public static final int KEY_BYTES = 1024;

  /** Longest value of the map, in bytes. */
  public static final int VALUE_BYTES = 1 << 20;

  /** Longest command or query, in bytes: a key, a value, a resource and their frame. */
  public static final int COMMAND_BYTES = VALUE_BYTES + 2 * KEY_BYTES + 256;

  /** Longest result of a state machine, in bytes; what lists must page. */
  public static final int RESULT_BYTES = 2 << 20;

  /** Longest message between two nodes, in bytes. */
  public static final int FRAME_BYTES = 4 << 20;

  /** Longest journal record, in bytes. */
  public static final int RECORD_BYTES = FRAME_BYTES;

  /** Commands are replicated and journaled in batches of about this many bytes at most. */
  public static final int BATCH_BYTES = 256 << 10;

  /** Bytes of a snapshot that travel in one message. */
  public static final int SNAPSHOT_CHUNK_BYTES = 256 << 10;

  /** Bytes that may wait for one peer in the transport. */
  public static final int PEER_QUEUE_BYTES = 16 << 20;

  /** Longest urgent message between two nodes, in bytes. */
  public static final int URGENT_BYTES = 16 << 10;

  /** Bytes of urgent messages that may wait for one peer in the transport. */
  public static final int URGENT_QUEUE_BYTES = 64 << 10;

  /** Commands and queries of one node that may wait for their result in one group. */
  public static final int PENDING_REQUESTS = 16_384;

  /** Bytes of commands and queries of one node that may wait for their result in one group. */
  public static final int PENDING_BYTES = 64 << 20;

  /** Bytes of commands that a leader may have proposed and not yet decided. */
  public static final int UNDECIDED_BYTES = 64 << 20;

  /** Segments of one group that are remembered. */
  public static final int SEGMENTS = 64;

  /** Sessions of one group. */
  public static final int SESSIONS = 10_000;

  /** Entries that one listing returns at most. */
  public static final int PAGE_ENTRIES = 1_000;

  /** Locks, and waiters of one lock, of one lock service. */
  public static final int LOCKS = 100_000;

  /** Waiters of one lock. */
  public static final int LOCK_WAITERS = 10_000;

  /** Holders of one lock that is shared, and permits of a semaphore. */
  public static final int LOCK_HOLDERS = 10_000;

  /** Longest note or reason that comes with a lock, in bytes of UTF-8. */
  public static final int NOTE_BYTES = 256;

  /** Resources whose largest fencing token a store remembers by name. */
  public static final int FENCES = 100_000;

  /** Tasks of one scheduler that are not over. */
  public static final int TASKS = 1_000_000;

  /** Longest payload or result of a task, in bytes. */
  public static final int TASK_BYTES = 64 << 10;

  /** Bytes of payloads of tasks that are not over. */
  public static final long TASKS_BYTES = 256L << 20;

  /** Bytes of payloads and results of tasks that are over and kept; the oldest go first. */
  public static final long TASK_RESULTS_BYTES = 128L << 20;

  /** Tasks that are over and whose results are kept; the oldest go first. */
  public static final int TASK_RESULTS = 100_000;

  /** Tasks in the dead-letter list; the oldest go first. */
  public static final int DEAD_TASKS = 100_000;

  /** Schedules of one scheduler. */
  public static final int SCHEDULES = 100_000;

  /** Different types, each with its labels, of tasks that are not over. */
  public static final int TASK_TYPES = 10_000;

  /** Types that one node can run, patterns counted once. */
  public static final int TASK_HANDLERS = 1_000;

  private Limits() {}
}
