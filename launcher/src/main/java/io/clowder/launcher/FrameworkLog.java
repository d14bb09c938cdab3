// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.service.log.LogEntry;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.LogListener;
import org.osgi.service.log.LogReaderService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the warnings and errors of the framework and its services (a component that cannot be
 * activated, a file that is no configuration) into the node's log, a line each: with its reason,
 * without the trace, which the shell's {@code log} has.
 */
final class FrameworkLog implements LogListener {
  private FrameworkLog() {}

  /** Follows the log service wherever it goes. */
  static void follow(BundleContext context) {
    LogListener listener = new FrameworkLog();
    try {
      context.addServiceListener(
          event -> {
            if (event.getType() == ServiceEvent.REGISTERED) {
              listen(context, event.getServiceReference(), listener);
            }
          },
          "(objectClass=" + LogReaderService.class.getName() + ")");
    } catch (InvalidSyntaxException e) {
      throw new AssertionError("a constant", e);
    }
  }

  private static void listen(
      BundleContext context, ServiceReference<?> reference, LogListener listener) {
    if (context.getService(reference) instanceof LogReaderService reader) {
      reader.addLogListener(listener);
    }
  }

  @Override
  public void logged(LogEntry entry) {
    Logger log = LoggerFactory.getLogger(entry.getBundle().getSymbolicName());
    if (entry.getLogLevel() == LogLevel.ERROR) {
      log.error("{}", line(entry.getMessage(), entry.getException()));
    } else if (entry.getLogLevel() == LogLevel.WARN) {
      log.warn("{}", line(entry.getMessage(), entry.getException()));
    }
  }

  /** One line: what happened, and the reason if it is another. */
  static String line(String message, @Nullable Throwable failure) {
    String text = message.lines().findFirst().orElse("").strip();
    if (failure == null) {
      return text;
    }
    StringWriter trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace, true));
    String reason = ComponentFailures.sentence(trace.toString());
    return text.contains(reason) ? text : text + ": " + reason;
  }
}
