// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import java.lang.annotation.Annotation;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConfigTest {
  private record Settings(
      String listen,
      String tls_certificate,
      String tls_key,
      String tls_trust,
      int reconnect_millis_max,
      int silence_millis_max)
      implements TcpTransport.Config {
    @Override
    public Class<? extends Annotation> annotationType() {
      return TcpTransport.Config.class;
    }
  }

  @Test
  void whatIsNotSetIsAsUsual() {
    assertEquals(
        TcpSettings.local(null, null),
        TcpTransport.settings(new Settings("", "", "", "", 1_000, 10_000)));
  }

  @Test
  void everyKeyIsRead() {
    TcpSettings settings =
        TcpTransport.settings(new Settings("[::1]:7001", "/c", "/k", "/t", 300, 3_000));
    assertEquals(new Address("::1", 7001), settings.listen());
    assertEquals(new TlsFiles(Path.of("/c"), Path.of("/k"), Path.of("/t")), settings.tls());
    assertEquals(300, settings.reconnectMillisMax());
    assertEquals(3_000, settings.silenceMillisMax());
    assertNull(TcpTransport.settings(new Settings(" ", "", "", "", 300, 3_000)).listen());
  }

  @Test
  void badValuesAreRefusedWithTheirKey() {
    assertRefused("listen: ", new Settings("here", "", "", "", 1_000, 10_000));
    assertRefused("listen: ", new Settings("h:0", "", "", "", 1_000, 10_000));
    assertRefused("reconnect.millis.max 19", new Settings("", "", "", "", 19, 10_000));
    assertRefused("silence.millis.max 1999", new Settings("", "", "", "", 1_000, 1_999));
    String all = "tls.certificate, tls.key and tls.trust: set all three";
    assertRefused(all, new Settings("", "/c", "", "", 1_000, 10_000));
    assertRefused(all, new Settings("", "/c", "/k", "", 1_000, 10_000));
    assertRefused(all, new Settings("", "", "", "/t", 1_000, 10_000));
  }

  private static void assertRefused(String why, Settings settings) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> TcpTransport.settings(settings));
    assertTrue(refused.getMessage().startsWith(why), refused.getMessage());
  }
}
