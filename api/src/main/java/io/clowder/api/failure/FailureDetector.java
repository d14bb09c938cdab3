// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What this node knows about the others. A service; thread-safe; every answer is the last one that
 * was worked out, at once and without waiting.
 */
@ProviderType
public interface FailureDetector {
  /** What is known about each other node that is a member. */
  SortedMap<NodeId, Suspicion> suspicions();

  /** What is known about one of them; null about a node that is none, or is this one. */
  default @Nullable Suspicion suspicion(NodeId node) {
    return suspicions().get(node);
  }

  /** Those that this node suspects now. */
  SortedSet<NodeId> suspects();

  /** The last view that this node knows of. */
  ClusterView view();

  /** How well a peer is judged, measured since this node first heard of it; null as above. */
  @Nullable QosReport qos(NodeId node);

  /** What this node knows about itself. */
  SelfReport self();

  /** The last events, the latest last: {@code history.size} of {@code io.clowder.fd}. */
  List<FailureEvent> history();
}
