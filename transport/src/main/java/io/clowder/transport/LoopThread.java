// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread on which everything happens. A lone event loop instead of a group of one, because
 * a group that ends wakes Netty's global executor, whose thread would outlive this bundle. For the
 * same reason every call that may touch Netty's thread locals is made on this thread, never on a
 * caller's: what they hold would keep this bundle's classes alive.
 */
@SuppressWarnings("FutureReturnValueIgnored") // The end is awaited otherwise.
final class LoopThread {
  private static final Logger LOG = LoggerFactory.getLogger(LoopThread.class);
  private static final long STOP_SECONDS_MAX = 5;

  private final SingleThreadIoEventLoop loop;
  private volatile @Nullable Thread thread;

  LoopThread(String name) {
    loop =
        new SingleThreadIoEventLoop(
            null,
            task -> {
              Thread made = new FastThreadLocalThread(task, name);
              made.setDaemon(true);
              made.setContextClassLoader(LoopThread.class.getClassLoader());
              thread = made;
              return made;
            },
            NioIoHandler.newFactory());
  }

  SingleThreadIoEventLoop loop() {
    return loop;
  }

  /** Runs {@code task} on the thread, soon; after the end it is dropped. */
  void execute(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      if (!loop.isShuttingDown()) {
        throw e;
      }
    }
  }

  /**
   * Runs {@code task} on the thread and returns when it ran, or when it never will. On the thread
   * itself it runs at once.
   *
   * @return false if it did not run in time
   */
  boolean executeAndWait(Runnable task, long secondsMax) {
    if (loop.inEventLoop()) {
      task.run();
      return true;
    }
    CountDownLatch done = new CountDownLatch(1);
    try {
      loop.execute(
          () -> {
            try {
              task.run();
            } finally {
              done.countDown();
            }
          });
    } catch (RejectedExecutionException e) {
      joinQuietly(secondsMax);
      return true;
    }
    return uninterrupted(() -> done.await(secondsMax, TimeUnit.SECONDS));
  }

  /** Ends the thread and waits for it, unless called on it. */
  void stop() {
    loop.shutdownGracefully(0, STOP_SECONDS_MAX, TimeUnit.SECONDS);
    if (!loop.inEventLoop()) {
      boolean ended =
          uninterrupted(() -> loop.awaitTermination(STOP_SECONDS_MAX, TimeUnit.SECONDS));
      if (!ended || !joinQuietly(STOP_SECONDS_MAX)) {
        LOG.error("the transport's thread does not end; a receiver holds it up");
      }
    }
  }

  private boolean joinQuietly(long secondsMax) {
    Thread running = thread;
    return running == null
        || uninterrupted(
            () -> {
              running.join(TimeUnit.SECONDS.toMillis(secondsMax));
              return !running.isAlive();
            });
  }

  private interface Wait {
    boolean once() throws InterruptedException;
  }

  /** Waits although interrupted, since what was begun has to be brought to its end. */
  private static boolean uninterrupted(Wait wait) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return wait.once();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
