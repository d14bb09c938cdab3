// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.failure.ClusterView;
import io.clowder.failure.detector.ViewRequest.Opinion;
import io.clowder.failure.detector.ViewRequest.Roster;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The committed view: what members suspect goes through the log, and who is in the view follows
 * from it on every node alike, see {@link Tally}.
 */
final class ViewMachine implements StateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(ViewMachine.class);
  private static final byte[] NO_RESULT = {};

  private final Consumer<ClusterView> viewed;
  private volatile ViewState state = ViewState.EMPTY;
  private volatile @Nullable ClusterView latest;

  /**
   * No view yet.
   *
   * @param viewed is told each view, in the order of their numbers, after {@link #latest} shows it;
   *     not all of those that this node has slept through. Called on the replica's thread: must be
   *     quick, and must not wait
   */
  ViewMachine(Consumer<ClusterView> viewed) {
    this.viewed = viewed;
  }

  /** What this node has applied so far; behind what it was, while a replica reads its journal. */
  ViewState state() {
    return state;
  }

  /** The last view that this node knows of; never goes back. Any thread may ask. */
  @Nullable ClusterView latest() {
    return latest;
  }

  @Override
  public byte[] apply(Entry entry) {
    if (entry.kind() == Entry.Kind.SESSION_ENDED) {
      become(state.ended(entry.session(), entry.position()));
      return NO_RESULT;
    }
    ViewRequest request = ViewRequest.decode(entry.command());
    if (request instanceof Roster roster) {
      become(state.with(roster, entry.position()));
    } else if (request instanceof Opinion opinion) {
      become(state.with(opinion, entry.session(), entry.position()));
    } else {
      throw new AssertionError("cannot apply " + request.getClass());
    }
    return NO_RESULT;
  }

  private void become(ViewState next) {
    state = next;
    ClusterView known = latest;
    if (next.number() <= (known == null ? 0 : known.number())) {
      return;
    }
    ClusterView view = next.view();
    latest = view;
    try {
      viewed.accept(view);
    } catch (RuntimeException e) {
      // It is this node's own affair, and must not become part of the result.
      LOG.error("view {} is current, and not everybody here was told", view.number(), e);
    }
  }

  @Override
  public byte[] query(byte[] query) {
    throw new IllegalArgumentException("each node shows its view; the log is not asked for it");
  }

  @Override
  public Snapshot snapshot() {
    ViewState captured = state;
    return out -> ViewSnapshot.write(captured, out);
  }

  @Override
  public void restore(InputStream in) throws IOException {
    become(ViewSnapshot.read(in));
  }
}
