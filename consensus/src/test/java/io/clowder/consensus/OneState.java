// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.SEGMENT;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.text;

import io.clowder.api.NodeId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The replicated state with one machine, {@code diary}, that is there from the beginning. */
final class OneState {
  final Told told = new Told();
  final ReplicatedState state = new ReplicatedState(told);
  final Diary diary = new Diary();

  /** What the state said, in order. */
  static final class Told implements ReplicatedState.Outcomes {
    final List<String> what = new ArrayList<>();
    final List<String> met = new ArrayList<>();

    @Override
    public void opened(Sessions.Session session) {
      what.add("opened " + session.id + " of " + session.node);
    }

    @Override
    public void ended(long session) {
      what.add("ended " + session);
    }

    @Override
    public void prepared(Segment next) {
      what.add("prepared " + next.title());
    }

    @Override
    public void sealed(Segment next) {
      what.add("sealed at " + next.base() + ", then " + next.title());
    }

    @Override
    public void abandoned(Segment next, String reason) {
      what.add("abandoned " + next.title() + ": " + reason);
    }

    @Override
    public void met(NodeId node, long incarnation) {
      met.add(node + " " + incarnation);
    }

    @Override
    public void applied(
        long session, long sequence, Sessions.Result result, @Nullable RuntimeException failure) {
      String cause = failure == null ? "" : " " + failure.getMessage();
      what.add(
          session + "/" + sequence + " " + result.status() + " " + text(result.bytes()) + cause);
    }
  }

  OneState() {
    state.attach("diary", diary, false);
    state.begin(SEGMENT);
  }

  void apply(byte[]... entries) {
    for (byte[] entry : entries) {
      state.apply(state.applied() + 1, entry);
    }
  }

  Sessions.Status status(long session, long sequence) {
    return state.sessions().get(session).result(sequence).status();
  }

  /** The bytes of a snapshot. */
  byte[] captured() throws IOException {
    return captured(state);
  }

  static byte[] captured(ReplicatedState state) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    state.capture(bytes("anchor")).writeTo(out);
    return out.toByteArray();
  }

  static byte[] timed(long timeMillis, byte[] envelope) {
    Envelope.stamp(envelope, timeMillis);
    return envelope;
  }
}
