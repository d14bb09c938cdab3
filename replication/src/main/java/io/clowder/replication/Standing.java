// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.store.StoreRole;
import io.clowder.api.store.StoreStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How a store stands, as one node knows it.
 *
 * @param config null while none is known
 * @param view of this node's copy; null while there is none
 * @param problem why there is none; empty if there is one
 */
record Standing(
    String store,
    StoreSetting setting,
    @Nullable StoreConfig config,
    @Nullable View view,
    String problem) {
  StoreStatus status() {
    StoreConfig present = config;
    if (present == null) {
      SortedSet<NodeId> none = new TreeSet<>();
      return new StoreStatus(
          store,
          StoreRole.CLIENT,
          0,
          null,
          setting.minInsync(),
          none,
          none,
          none,
          none,
          null,
          List.of());
    }
    ReplicaId mine = view == null ? null : view.id();
    boolean isMember = mine != null && present.members().contains(mine);
    SortedSet<ReplicaId> learners = new TreeSet<>(present.members());
    learners.removeAll(present.insync());
    learners.removeAll(present.eligible());
    StoreRole role =
        !isMember || view == null
            ? StoreRole.CLIENT
            : view.isPrimary()
                ? StoreRole.PRIMARY
                : present.insync().contains(mine) ? StoreRole.BACKUP : StoreRole.LEARNER;
    return new StoreStatus(
        store,
        role,
        present.epoch(),
        present.primary() == null ? null : present.primary().node(),
        present.minInsync(),
        ReplicaId.nodes(present.insync()),
        ReplicaId.nodes(present.eligible()),
        ReplicaId.nodes(learners),
        present.removed(),
        isMember && view != null ? copy(view) : null,
        view == null ? List.of() : view.lags().stream().map(Standing::lag).toList());
  }

  private static StoreStatus.Copy copy(View view) {
    return new StoreStatus.Copy(
        view.oldest(),
        view.end(),
        view.persisted(),
        view.committed(),
        view.entries(),
        view.logBytes(),
        view.snapshot());
  }

  private static StoreStatus.Lag lag(View.Lag lag) {
    return new StoreStatus.Lag(
        lag.replica().node(), lag.acked(), lag.records(), lag.bytes(), lag.millis());
  }

  /** What holds this store up on this node, a sentence each. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    String about = "store " + store + ": ";
    StoreConfig present = config;
    if (!problem.isEmpty()) {
      problems.add(about + problem);
    }
    if (view != null && view.isDiskHung()) {
      problems.add(about + "a write to this node's disk has not come back");
    }
    if (view != null && view.isUnanswered()) {
      problems.add(
          about
              + "writes wait for a backup that says nothing, and consensus does not answer; if this"
              + " node is cut off, it says that it is not well, so that another one can become the"
              + " primary");
    }
    if (view != null && view.isSpaceLow()) {
      problems.add(about + "this node's disk is nearly full: make room");
    }
    if (present == null) {
      problems.add(about + "its configuration is not known: consensus has not answered");
      return problems;
    }
    if (present.primary() == null) {
      problems.add(
          about
              + "there is no primary; one of %s has to come back, or be forced (store:force-promote)"
                  .formatted(
                      ReplicaId.nodes(
                          present.isEnough() ? present.insync() : present.electable())));
    }
    if (!present.isEnough()) {
      problems.add(
          about
              + "%d of at least %d copies are in sync, so no write is acknowledged"
                  .formatted(present.insync().size(), present.minInsync()));
    }
    if (present.minInsync() != setting.minInsync()) {
      problems.add(
          about
              + "min.insync is %d on this node and %d in the store, which counts"
                  .formatted(setting.minInsync(), present.minInsync()));
    }
    return problems;
  }
}
