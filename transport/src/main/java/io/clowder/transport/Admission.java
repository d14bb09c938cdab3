// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import java.util.function.Predicate;

/** Decides by what it says whether the other side is who it should be; empty means yes. */
final class Admission {
  private Admission() {}

  /**
   * Checks who dials in.
   *
   * @param known the members, and whom else this node has to do with
   */
  static String check(Node self, Predicate<NodeId> known, Greeting.Hello hello) {
    if (!hello.cluster().equals(self.cluster())) {
      return otherCluster(self);
    }
    if (hello.from().equals(self.id())) {
      return self.id() + " reached itself: check the members' addresses and the nodes' ids";
    }
    if (!hello.to().equals(self.id())) {
      return "this is " + self.id() + ", not " + hello.to() + ": check the members' addresses";
    }
    if (!known.test(hello.from())) {
      return hello.from() + " is not a member of cluster '" + self.cluster() + "'";
    }
    return "";
  }

  /** Checks who answered when {@code peer} was dialled. */
  static String check(Node self, NodeId peer, Greeting.Welcome welcome) {
    if (!welcome.cluster().equals(self.cluster())) {
      return otherCluster(self);
    }
    if (!welcome.from().equals(peer) || !welcome.to().equals(self.id())) {
      return welcome.from() + " answered where " + peer + " should be";
    }
    return "";
  }

  private static String otherCluster(Node self) {
    return self.id() + " belongs to another cluster, '" + self.cluster() + "'";
  }
}
