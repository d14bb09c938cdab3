// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.util.Collection;
import java.util.SortedSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A command on one of the rings that are configured on this node. */
abstract class DhtCommand extends ShellCommand {
  /** Which one is meant if there are several and none is named. */
  private static final String USUAL = "main";

  private final KnownRings rings;

  @Option(
      names = "--ring",
      paramLabel = "NAME",
      description = "Which ring (default: the only one, or " + USUAL + ").")
  private @Nullable String name;

  DhtCommand(KnownRings rings) {
    this.rings = rings;
  }

  /** The ring that is meant; refused with the names of those that are here if there is none. */
  final Dht ring() {
    SortedSet<String> here = rings.names();
    if (here.isEmpty()) {
      throw refused(Reason.UNAVAILABLE, none());
    }
    String names = String.join(", ", here);
    if (name == null && here.size() > 1 && !here.contains(USUAL)) {
      throw refused(Reason.INVALID, "say which ring by --ring; there are: " + names);
    }
    String wanted = name != null ? name : here.size() == 1 ? here.first() : USUAL;
    Dht ring = rings.ring(wanted);
    if (ring == null) {
      throw refused(
          Reason.UNAVAILABLE, "no ring '%s' on this node; there are: %s".formatted(wanted, names));
    }
    return ring;
  }

  /** What looks after a ring. */
  final DhtAdmin admin(Dht ring) {
    DhtAdmin admin = rings.admin(ring.name());
    if (admin == null) {
      throw refused(
          Reason.UNAVAILABLE, "ring %s stops, or starts: try again".formatted(ring.name()));
    }
    return admin;
  }

  /** That there is no ring, and how to have one. */
  final String none() {
    return "no ring on this node: configure io.clowder.dht~" + (name == null ? "NAME" : name);
  }

  /** The name that the words said; null if they said none. */
  final @Nullable String name() {
    return name;
  }

  /**
   * Has a check fail whose findings are all to be seen: they are printed, and that it failed is an
   * exception.
   *
   * @param text the findings for people
   * @param summary a line
   */
  final IllegalStateException failed(Table findings, String text, String summary) {
    System.out.println(format() == Format.json ? findings.toJson() : text);
    return new IllegalStateException(summary);
  }

  static String names(Collection<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).collect(Collectors.joining(","));
  }
}
