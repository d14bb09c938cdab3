// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.nio.ByteBuffer;
import java.util.List;

/** A transport whose node may die before each message. */
final class ObservedTransport implements Transport {
  private final Transport transport;
  private final Runnable point;

  ObservedTransport(Transport transport, Runnable point) {
    this.transport = transport;
    this.point = point;
  }

  @Override
  public boolean send(NodeId to, String topic, ByteBuffer payload) {
    point.run();
    return transport.send(to, topic, payload);
  }

  @Override
  public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
    point.run();
    return transport.sendUrgent(to, topic, payload);
  }

  @Override
  public Registration listen(String topic, Receiver receiver) {
    return transport.listen(topic, receiver);
  }

  @Override
  public Registration meet(NodeId peer, Address address) {
    return transport.meet(peer, address);
  }

  @Override
  public List<Link> links() {
    return transport.links();
  }
}
