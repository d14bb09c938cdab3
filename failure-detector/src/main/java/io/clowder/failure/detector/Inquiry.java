// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.Suspicion.State;
import io.clowder.failure.detector.Questions.Question;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks after peers: those that this node doubts, directly and through up to {@link #RELAYS} others;
 * those that others doubt; and those that the detector wants to know of. A doubt becomes a
 * suspicion only when the peer answers by no way, so nobody is suspected on one link's word, not
 * even among three nodes (SWIM's indirect probe: Das, Gupta and Motivala, 2002, section 3.1).
 */
final class Inquiry implements Detector.Probes {
  static final int RELAYS = 3;

  /** For how many detection times traffic excuses a detector that says nothing. */
  private static final int TRAFFIC_EXCUSES = 3;

  private static final byte[] NOTHING = {};

  private final Watch watch;
  private final Voice voice;
  private final Questions questions;

  Inquiry(Watch watch, Voice voice, Questions questions) {
    this.watch = watch;
    this.voice = voice;
    this.questions = questions;
  }

  /** Asks after whom this node doubts by now, and suspects who did not answer. */
  void tick() {
    for (Peer peer : watch.peers.values()) {
      if (peer.isAsked && peer.answerByNanos <= watch.now) {
        unanswered(peer);
      } else if (!peer.isAsked && doubtAt(peer) <= watch.now && !excusedByTraffic(peer)) {
        ask(peer);
      }
    }
  }

  /** Tells those who asked for peers that have not answered. */
  void tellLate() {
    for (Question late : questions.late(watch.now)) {
      if (late.asker() != null) {
        voice.send(late.asker(), new Signal.Relayed(late.token(), late.peer(), 0));
      }
    }
  }

  /** A peer's own answer. */
  void answered(Peer peer, Signal.Pong pong) {
    Question question = questions.answered(pong.token());
    if (question == null || !question.peer().equals(peer.id)) {
      return;
    }
    if (question.asker() != null) {
      Signal.Relayed answer = new Signal.Relayed(question.token(), peer.id, peer.incarnation);
      voice.send(question.asker(), answer);
    } else if (question.isDetectors()) {
      watch.detector.answered(peer.id, question.token(), pong.gossip(), watch.now, this);
    }
  }

  /** Another node wants to know of a peer. */
  void relay(Peer asker, Signal.PingRequest request) {
    if (!watch.peers.containsKey(request.target())) {
      voice.send(asker.id, new Signal.Relayed(request.token(), request.target(), 0));
      return;
    }
    long within = Math.min(request.withinMillis() * 1_000_000, watch.goalNanos());
    ask(
        new Question(request.target(), asker.id, request.token(), false, watch.now + within),
        NOTHING);
  }

  /** A relay's answer. */
  void relayed(Peer relay, Signal.Relayed answer) {
    Question question = questions.answered(answer.token());
    Peer peer = question == null ? null : watch.peers.get(question.peer());
    if (question == null || peer == null || !peer.id.equals(answer.target())) {
      return;
    }
    if (answer.incarnation() == 0) {
      if (question.isDetectors()) {
        watch.detector.notAnswered(relay.id, peer.id, question.token(), watch.now, this);
      }
      return;
    }
    if (answer.incarnation() < peer.accepts()) {
      return;
    }
    boolean isWanted = peer.isAsked;
    if (answer.incarnation() > peer.incarnation) {
      watch.restart(peer, answer.incarnation());
    }
    if (question.isDetectors()) {
      watch.detector.answered(peer.id, question.token(), NOTHING, watch.now, this);
    } else if (isWanted) {
      peer.isAsked = false;
      peer.askAgainNanos = watch.now + watch.againNanos();
      if (peer.evidence != Evidence.UNWELL) {
        String detail = "it lives, says " + relay.id + ", but nothing comes from it directly";
        watch.verdicts.trust(peer, Evidence.RELAYED, detail, watch.now);
      }
    }
  }

  /** When a peer has to be asked after. */
  private long doubtAt(Peer peer) {
    return switch (peer.state) {
      case NEW ->
          Math.max(peer.heardNanos + watch.goalNanos() + peer.stalledNanos, peer.floorNanos);
      case ALIVE -> Math.max(watch.detector.doubtAt(peer.id), peer.floorNanos);
      case UNREACHABLE -> peer.askAgainNanos;
      case SUSPECT ->
          peer.evidence == Evidence.UNWELL || peer.evidence == Evidence.RESTARTED
              ? Long.MAX_VALUE
              : peer.askAgainNanos;
      case LEFT -> Long.MAX_VALUE;
    };
  }

  /** Whether the network heard of it later than its detector spoke, and that suffices for now. */
  private boolean excusedByTraffic(Peer peer) {
    if (peer.state != State.ALIVE && peer.state != State.NEW) {
      return false;
    }
    long silent = watch.outlet.silentNanos(peer.id);
    if (peer.state == State.NEW) {
      boolean isThere = silent >= 0 && silent < watch.goalNanos();
      peer.detail = isThere ? "it is connected, but has said nothing: has it a detector?" : "";
      return isThere;
    }
    if (silent < 0
        || watch.now - silent <= peer.heardNanos
        || watch.now - peer.signalNanos > TRAFFIC_EXCUSES * watch.goalNanos()) {
      return false;
    }
    peer.heardNanos = watch.now - silent;
    watch.detector.sign(peer.id, peer.heardNanos);
    return doubtAt(peer) > watch.now;
  }

  private void ask(Peer peer) {
    peer.isAsked = true;
    peer.answerByNanos = watch.now + watch.answerNanos();
    Question question = new Question(peer.id, null, 0, false, peer.answerByNanos);
    ask(question, NOTHING);
    List<Peer> relays = others(peer);
    for (int i = 0; i < RELAYS && !relays.isEmpty(); i++) {
      Peer relay = relays.remove(watch.random.nextInt(relays.size()));
      long token = questions.ask(question);
      voice.send(relay.id, new Signal.PingRequest(token, peer.id, watch.answerNanos() / 1_000_000));
    }
  }

  private void ask(Question question, byte[] gossip) {
    voice.send(question.peer(), new Signal.Ping(questions.ask(question), gossip));
  }

  private void unanswered(Peer peer) {
    peer.isAsked = false;
    peer.askAgainNanos = watch.now + watch.againNanos();
    if (!peer.isSuspect()) {
      watch.verdicts.suspect(peer, Evidence.SILENCE, silence(peer), watch.now);
    }
  }

  private String silence(Peer peer) {
    if (!peer.isHeard) {
      return "it was never heard of";
    }
    return "nothing heard for %d ms, no answer when asked%s"
        .formatted(
            (watch.now - peer.heardNanos) / 1_000_000,
            others(peer).isEmpty() ? "" : ", nor through others");
  }

  private List<Peer> others(Peer peer) {
    List<Peer> others = new ArrayList<>(watch.peers.values());
    others.removeIf(it -> it == peer || it.state != State.ALIVE);
    return others;
  }

  // What the detector asks for.

  @Override
  public void ping(NodeId peer, long token, byte[] gossip) {
    ask(new Question(peer, null, token, true, watch.now + watch.goalNanos()), gossip);
  }

  @Override
  public void pingThrough(NodeId relay, NodeId peer, long token, long withinNanos) {
    long until = watch.now + withinNanos + watch.goalNanos();
    long asked = questions.ask(new Question(peer, null, token, true, until));
    long withinMillis = Math.max(1, withinNanos / 1_000_000);
    voice.send(relay, new Signal.PingRequest(asked, peer, withinMillis));
  }

  @Override
  public void tell(NodeId peer, byte[] gossip) {
    voice.send(peer, new Signal.Gossip(gossip));
  }

  @Override
  public void suspect(NodeId id, Evidence evidence, String detail) {
    Peer peer = watch.peers.get(id);
    if (peer != null && !peer.isSuspect()) {
      peer.askAgainNanos = watch.now + watch.againNanos();
      watch.verdicts.suspect(peer, evidence, detail, watch.now);
    }
  }

  @Override
  public void trust(NodeId id, Evidence evidence) {
    Peer peer = watch.peers.get(id);
    // What it says itself, and that it has gone, weighs more than an algorithm's opinion.
    if (peer != null && peer.state == State.SUSPECT && peer.evidence != Evidence.UNWELL) {
      watch.verdicts.trust(peer, evidence, "", watch.now);
    }
  }
}
