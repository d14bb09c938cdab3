// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import java.util.ArrayList;
import java.util.List;

/**
 * What has yet to happen on a thread. What comes from without is limited, in number and in bytes;
 * what the owner tells itself always gets in, as it is bounded by what was taken before. Any thread
 * puts, one takes.
 */
public final class Inbox {
  private final int tasksMax;
  private final long bytesMax;
  private final Runnable wakeup;
  private List<Runnable> tasks = new ArrayList<>();
  private List<Runnable> spare = new ArrayList<>();
  private long bytes;
  private boolean isShut;

  /** Empty; {@code wakeup} is called when something came. */
  public Inbox(int tasksMax, long bytesMax, Runnable wakeup) {
    this.tasksMax = tasksMax;
    this.bytesMax = bytesMax;
    this.wakeup = wakeup;
  }

  /**
   * Takes a task if there is room.
   *
   * @param size bytes that it holds until they are {@link #release released}
   */
  public boolean offer(long size, Runnable task) {
    synchronized (this) {
      if (isShut || tasks.size() >= tasksMax || bytes + size > bytesMax) {
        return false;
      }
      bytes += size;
      tasks.add(task);
    }
    wakeup.run();
    return true;
  }

  /** Takes a task of the owner's. */
  public void add(Runnable task) {
    synchronized (this) {
      tasks.add(task);
    }
    wakeup.run();
  }

  /** Makes room. */
  public synchronized void release(long size) {
    bytes -= size;
  }

  /** Takes nothing from without any more. */
  public synchronized void shut() {
    isShut = true;
  }

  /** All that has come so far, to be cleared when it was done: it is used again. */
  public synchronized List<Runnable> take() {
    List<Runnable> taken = tasks;
    tasks = spare;
    spare = taken;
    return taken;
  }
}
