// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.wire.WireFormatException;
import io.clowder.lock.LockRequest.Bundles;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Info;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Question;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All locks of a group. The facade hears from it what happened to requests of this node. */
public final class LockTable implements StateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(LockTable.class);
  private static final byte[] NO_RESULT = {};

  /**
   * Who wants to know on this node. Called on the replica's thread, after {@link #state} shows the
   * change: must be quick, and must not wait.
   */
  interface Observer {
    /** A request stands otherwise than before because of somebody else's entry. */
    default void touched(long session, long request) {}

    /** A session is over, and all of its requests. */
    default void ended(long session) {}

    /** An entry made this happen. */
    default void happened(List<LockEvent> events) {}

    /** The state is another one: an older one that entries will follow, or a much later one. */
    void restored();
  }

  private final List<Observer> observers = new CopyOnWriteArrayList<>();
  private volatile LockState state = LockState.EMPTY;

  /** A table without locks. */
  public LockTable() {}

  void add(Observer observer) {
    observers.add(observer);
  }

  void remove(Observer observer) {
    observers.remove(observer);
  }

  /** What this node has applied so far. Any thread may ask. */
  LockState state() {
    return state;
  }

  @Override
  public byte[] apply(Entry entry) {
    LockTurn turn = new LockTurn(state, entry.position(), entry.timeMillis());
    byte[] result = NO_RESULT;
    boolean ended = entry.kind() == Entry.Kind.SESSION_ENDED;
    if (ended) {
      turn.end(entry.session(), LockEvent.Kind.EXPIRED);
    } else if (LockRequest.decode(entry.command()) instanceof Change change) {
      result = turn.apply(entry.session(), change).encode();
    } else {
      throw new WireFormatException("a question is not a command");
    }
    state = turn.state();
    for (Observer observer : observers) {
      try {
        observer.happened(turn.events());
        if (ended) {
          observer.ended(entry.session());
        }
        turn.touched().forEach(it -> observer.touched(it.session(), it.request()));
      } catch (RuntimeException e) {
        // It is this node's own affair, and must not become part of the result.
        LOG.error("entry {} is applied, and not everybody here was told", entry.position(), e);
      }
    }
    return result;
  }

  @Override
  public byte[] query(byte[] query) {
    try {
      if (LockRequest.decode(query) instanceof Question question) {
        return answer(question).encode();
      }
    } catch (WireFormatException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    throw new IllegalArgumentException("a command is not a question");
  }

  private LockResult answer(Question question) {
    if (question instanceof Info info) {
      LockInfo found = state.info(info.name());
      return new LockResult.Locks(found == null ? List.of() : List.of(found));
    } else if (question instanceof Page page) {
      return new LockResult.Locks(state.page(page.prefix(), page.after(), page.limit()));
    } else if (question instanceof Bundles bundles) {
      return new LockResult.Bundles(state.bundles(bundles.limit()));
    }
    throw new AssertionError("cannot answer " + question.getClass());
  }

  @Override
  public Snapshot snapshot() {
    LockState captured = state;
    return out -> LockSnapshot.write(captured, out);
  }

  @Override
  public void restore(InputStream in) throws IOException {
    state = LockSnapshot.read(in);
    observers.forEach(Observer::restored);
  }
}
