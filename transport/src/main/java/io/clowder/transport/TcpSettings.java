// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import org.jspecify.annotations.Nullable;

/**
 * What can be set about a {@link TcpTransport}.
 *
 * @param listen where to listen, or null for this node's own address among the members
 * @param tls the files for TLS, or null to serve loopback addresses in plain text
 * @param reconnectMillisMin first wait before a lost peer is dialled again, 1 or more
 * @param reconnectMillisMax longest such wait
 * @param greetingMillisMax time in which a connection must be made and both sides be known
 * @param pingMillis silence after which a peer is asked for a sign of life
 * @param silenceMillisMax silence after which a connection is given up, at least two pings
 */
public record TcpSettings(
    @Nullable Address listen,
    @Nullable TlsFiles tls,
    int reconnectMillisMin,
    int reconnectMillisMax,
    int greetingMillisMax,
    int pingMillis,
    int silenceMillisMax) {
  /** Refuses times that make no sense with {@link IllegalArgumentException}. */
  public TcpSettings {
    if (reconnectMillisMin < 1 || reconnectMillisMax < reconnectMillisMin) {
      throw new IllegalArgumentException(
          "reconnect.millis.max "
              + reconnectMillisMax
              + ": use "
              + reconnectMillisMin
              + " or more");
    }
    if (greetingMillisMax < 1 || pingMillis < 1) {
      throw new IllegalArgumentException("times must be at least one millisecond");
    }
    if (silenceMillisMax < 2 * pingMillis) {
      throw new IllegalArgumentException(
          "silence.millis.max " + silenceMillisMax + ": use " + 2 * pingMillis + " or more");
    }
  }

  /** The times that suit a local network. */
  public static TcpSettings local(@Nullable Address listen, @Nullable TlsFiles tls) {
    return new TcpSettings(listen, tls, 20, 1_000, 5_000, 1_000, 10_000);
  }
}
