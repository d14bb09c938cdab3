// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class QuietLogTest {
  @Test
  void oneLineAMinuteForEachKind() {
    Logger logger = (Logger) LoggerFactory.getLogger("quiet");
    logger.setAdditive(false);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    AtomicLong nanos = new AtomicLong();
    QuietLog log = new QuietLog(logger, nanos::get);

    log.warn("a", "first", null);
    log.warn("a", "left out", null);
    log.warn("a", "left out", null);
    log.warn("b", "other", null);
    nanos.set(TimeUnit.SECONDS.toNanos(61));
    log.warn("a", "later", null);

    assertEquals(
        List.of("first", "other", "later (and 2 more since the last line)"),
        lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
  }
}
