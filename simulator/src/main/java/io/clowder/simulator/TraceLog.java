// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.io.PrintStream;
import java.io.Serial;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Where the log of simulated nodes goes: nowhere, or to a stream with virtual time and the process
 * before each line. Found by SLF4J as its provider.
 */
public final class TraceLog implements SLF4JServiceProvider, ILoggerFactory {
  private static final ThreadLocal<@Nullable Sink> SINK = new ThreadLocal<>();

  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final MDCAdapter contexts = new NOPMDCAdapter();

  private record Sink(World world, PrintStream out) {}

  /** For SLF4J. */
  public TraceLog() {}

  /** Has this thread's log go to {@code out} until {@link #off}. */
  static void to(PrintStream out, World world) {
    SINK.set(new Sink(world, out));
  }

  /** Has this thread's log go nowhere. */
  static void off() {
    SINK.remove();
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return this;
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return contexts;
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99";
  }

  @Override
  public void initialize() {}

  @Override
  public Logger getLogger(String name) {
    return new TraceLogger(name);
  }

  private static final class TraceLogger extends LegacyAbstractLogger {
    @Serial private static final long serialVersionUID = 1L;

    TraceLogger(String name) {
      this.name = name;
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level,
        @Nullable Marker marker,
        String message,
        Object @Nullable [] arguments,
        @Nullable Throwable failure) {
      var sink = SINK.get();
      if (sink == null) {
        return;
      }
      sink.out()
          .println(
              String.format(
                  Locale.ROOT,
                  "%12.3f ms %-5s %s %s",
                  sink.world().now() / 1e6,
                  level,
                  sink.world().present(),
                  MessageFormatter.basicArrayFormat(message, arguments)));
      if (failure != null) {
        failure.printStackTrace(sink.out());
      }
    }

    @Override
    public boolean isTraceEnabled() {
      return false;
    }

    @Override
    public boolean isDebugEnabled() {
      return SINK.get() != null;
    }

    @Override
    public boolean isInfoEnabled() {
      return SINK.get() != null;
    }

    @Override
    public boolean isWarnEnabled() {
      return SINK.get() != null;
    }

    @Override
    public boolean isErrorEnabled() {
      return SINK.get() != null;
    }
  }
}
