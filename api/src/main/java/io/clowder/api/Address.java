// SPDX-License-Identifier: Apache-2.0
package io.clowder.api;

/**
 * Where a node listens.
 *
 * @param host a host name or address, without brackets
 * @param port 1 to 65535
 */
public record Address(String host, int port) {
  /** Refuses an empty host or a port out of range with {@link IllegalArgumentException}. */
  public Address {
    if (host.isBlank()) {
      throw new IllegalArgumentException("address without a host");
    }
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("port " + port + ": use 1 to 65535");
    }
  }

  /** Reads {@code HOST:PORT}, an IPv6 host in brackets. */
  public static Address parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 1) {
      throw new IllegalArgumentException("address '" + text + "': write HOST:PORT");
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    try {
      return new Address(host, Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("address '" + text + "': the port is not a number", e);
    }
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
