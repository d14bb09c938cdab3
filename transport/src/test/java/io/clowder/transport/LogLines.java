// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/** What the transports log, for a test to wait for. */
final class LogLines implements AutoCloseable {
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(TcpTransport.class);
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          lines.add(event.getFormattedMessage());
        }
      };

  LogLines() {
    appender.start();
    logger.addAppender(appender);
  }

  /** Waits for a line with {@code part} in it. */
  void expect(String part) throws InterruptedException {
    List<String> others = new ArrayList<>();
    String line = null;
    do {
      line = lines.poll(20, TimeUnit.SECONDS);
      assertNotNull(line, "no line with '" + part + "' in " + others);
      others.add(line);
    } while (!line.contains(part));
  }

  @Override
  public void close() {
    logger.detachAppender(appender);
    appender.stop();
  }
}
