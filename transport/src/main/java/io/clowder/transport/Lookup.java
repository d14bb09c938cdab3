// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.function.Consumer;

/** Finds the address of a host without holding up the loop. */
final class Lookup {
  private Lookup() {}

  /**
   * Resolves {@code address} and hands the result, unresolved if there is none, to {@code then}: at
   * once for a number or {@code localhost}, else on a thread that ends with the answer.
   */
  static void resolve(Address address, Consumer<InetSocketAddress> then) {
    String host = address.host();
    if (host.equals("localhost")
        || NetUtil.isValidIpV4Address(host)
        || NetUtil.isValidIpV6Address(host)) {
      then.accept(now(address));
    } else {
      // A name server may take its time, and a lookup can't be interrupted.
      Thread thread = new Thread(() -> then.accept(now(address)), "clowder-transport-lookup");
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** Resolves {@code address}, waiting for it. */
  static InetSocketAddress now(Address address) {
    try {
      return new InetSocketAddress(InetAddress.getByName(address.host()), address.port());
    } catch (UnknownHostException e) {
      return InetSocketAddress.createUnresolved(address.host(), address.port());
    }
  }
}
