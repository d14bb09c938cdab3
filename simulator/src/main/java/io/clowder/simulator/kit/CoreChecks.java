// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.kit;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.simulator.toy.Plant;
import io.clowder.simulator.toy.ToyWorld;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

/**
 * What one core must do by itself. Some random worlds are run; then each core that lived there is
 * opened again, on all that its disk could have held, and told again what it was told.
 */
final class CoreChecks {
  private static final long TROUBLE = 1_500_000;
  private static final int WORLDS = 12;

  /** Steps of a life that are told again. */
  private static final int STEPS_MAX = 3_000;

  /** Cores that are opened to see what becomes of their records. */
  private static final int OPENINGS = 8_000;

  private static final int DAMAGES = 40_000;

  private final ConsensusProtocol protocol;
  private final List<Life> lives = new ArrayList<>();

  /** A message of another protocol. */
  private record Foreign() implements Message {}

  CoreChecks(ConsensusProtocol protocol) {
    this.protocol = protocol;
  }

  List<ProtocolKit.Check> checks() {
    return List.of(
        new ProtocolKit.Check(
            "law 4: a core comes back from what any crash leaves", this::recovers),
        new ProtocolKit.Check("law 5: the same events and chance, the same actions", this::repeats),
        new ProtocolKit.Check("law 5: it matters not where a clock begins", this::clocks),
        new ProtocolKit.Check(
            "a lost snapshot, a bad anchor, a foreign record: refused", this::refuses),
        new ProtocolKit.Check("records in any disorder: opened or refused", this::disorder),
        new ProtocolKit.Check(
            "codec: all that was said and written is read as it was", this::codec),
        new ProtocolKit.Check("codec: damaged bytes are refused or are a message", this::damage),
        new ProtocolKit.Check("nonsense is ignored", this::nonsense),
        new ProtocolKit.Check(
            "any message at any time: at worst a broken invariant", this::anything));
  }

  /** The lives of the cores of some worlds; the worlds themselves are another check's concern. */
  private synchronized List<Life> lives() {
    if (lives.isEmpty()) {
      for (long seed = 1; seed <= WORLDS; seed++) {
        Witness witness = new Witness(protocol, members -> new TreeMap<>());
        try {
          new ToyWorld<>(witness, 1_000 + seed, Plant.NONE).run(TROUBLE);
        } catch (AssertionError | RuntimeException e) {
          throw new AssertionError("world " + (1_000 + seed) + ": " + e.getMessage(), e);
        }
        lives.addAll(witness.lives());
      }
    }
    return lives;
  }

  // --- recovery ---------------------------------------------------------------------------------

  /** A journal as it grows, trimmed in the three ways that there are. */
  private static final class Disks {
    private record Written(Message message, long slot) {}

    private final List<Written> whole = new ArrayList<>();
    private long trimmed;

    void add(Message message, long slot) {
      whole.add(new Written(message, slot));
    }

    void trim(long slot) {
      trimmed = Math.max(trimmed, slot);
    }

    List<List<Message>> variants() {
      List<Message> all = new ArrayList<>();
      List<Message> tail = new ArrayList<>();
      List<Message> needed = new ArrayList<>();
      for (Written record : whole) {
        boolean kept = record.slot > trimmed;
        all.add(record.message);
        if (kept || !tail.isEmpty()) {
          tail.add(record.message);
        }
        if (kept) {
          needed.add(record.message);
        }
      }
      return trimmed == 0 ? List.of(all) : List.of(all, tail, needed);
    }
  }

  private void recovers() {
    long boundaries = 0;
    for (Life life : lives()) {
      boundaries += life.steps.size();
    }
    long stride = Math.max(1, boundaries / OPENINGS);
    long count = 0;
    for (Life life : lives()) {
      if (!life.records.isEmpty() && life.setting.snapshotSlot() > 0) {
        // Which of its first records a trim may take is not known.
        continue;
      }
      Disks disks = new Disks();
      life.records.forEach(record -> disks.add(record, Long.MAX_VALUE));
      long led = 0;
      for (Life.Step step : life.steps) {
        boolean looks = count++ % stride == 0;
        List<Long> trims = new ArrayList<>();
        if (looks || step.event() instanceof Event.Compacted) {
          recover(life, step, disks, led);
        }
        for (Action action : step.actions()) {
          if (action instanceof Action.Persist persist) {
            disks.add(persist.message(), persist.slot());
            if (looks) {
              recover(life, step, disks, led);
            }
          } else if (action instanceof Action.Trim trim) {
            trims.add(trim.slot());
          } else if (action instanceof Action.Lead lead) {
            led = lead.term();
          }
        }
        trims.forEach(disks::trim);
      }
    }
  }

  private void recover(Life life, Life.Step step, Disks disks, long led) {
    for (List<Message> records : disks.variants()) {
      String where =
          life.setting.self()
              + ", snapshot at "
              + step.snapshotSlot()
              + ", "
              + records.size()
              + " records";
      List<String> first;
      List<String> second;
      ProtocolCore.View view;
      try {
        ProtocolCore core = protocol.open(life.at(step.snapshotSlot(), step.anchor()), records);
        view = core.view();
        first = act(core, new Event.Clock(17));
        second =
            act(
                protocol.open(life.at(step.snapshotSlot(), step.anchor()), records),
                new Event.Clock(17));
      } catch (RuntimeException e) {
        throw new AssertionError(where + ": " + e, e);
      }
      require(first.equals(second), where + ": " + first + " and then " + second);
      require(
          view.decided() == step.snapshotSlot(), where + ": decided before it said so: " + view);
      require(view.term() >= led, where + ": led in term " + led + ", but comes back as " + view);
      require(!view.role().equals("leader"), where + ": leads before it has asked anybody");
    }
  }

  // --- determinism ------------------------------------------------------------------------------

  private void repeats() {
    for (Life life : lives()) {
      ProtocolCore core = protocol.open(life.again(), life.records);
      int count = 0;
      for (Life.Step step : life.steps) {
        if (++count > STEPS_MAX) {
          break;
        }
        List<String> before = step.actions().stream().map(this::print).toList();
        List<String> now = act(core, step.event());
        require(before.equals(now), "on " + step.event() + " first " + before + ", then " + now);
      }
    }
  }

  private void clocks() {
    for (long shift : new long[] {-(1L << 50), 1L << 50}) {
      for (Life life : lives()) {
        ProtocolCore core = protocol.open(life.again(), life.records);
        int count = 0;
        for (Life.Step step : life.steps) {
          if (++count > STEPS_MAX) {
            break;
          }
          Event event =
              step.event() instanceof Event.Clock clock
                  ? new Event.Clock(clock.now() + shift)
                  : step.event();
          List<String> before = step.actions().stream().map(a -> outline(a, shift)).toList();
          List<String> now = new ArrayList<>();
          core.step(event, action -> now.add(outline(action, 0)));
          require(
              before.equals(now),
              "%d ns later, on %s: first %s, then %s".formatted(shift, event, before, now));
        }
      }
    }
  }

  /** An action without what may hold a time of its own. */
  private String outline(Action action, long shift) {
    if (action instanceof Action.Send send) {
      return "Send " + send.to() + " " + send.message().getClass().getSimpleName();
    }
    if (action instanceof Action.WakeAt wake) {
      boolean never = wake.nanos() == Long.MAX_VALUE;
      return never ? "WakeAt never" : "WakeAt " + (wake.nanos() + shift);
    }
    return action instanceof Action.Persist persist ? "Persist @" + persist.slot() : print(action);
  }

  // --- what cannot be ---------------------------------------------------------------------------

  private void refuses() {
    int tried = 0;
    for (Life life : lives()) {
      CoreSetting setting = life.again();
      mustRefuse(setting, List.of(new Foreign()), "a record of another protocol");
      if (setting.snapshotSlot() == 0 || life.records.isEmpty()) {
        continue;
      }
      tried++;
      byte[] garbage = new byte[4096];
      mustRefuse(life.at(setting.snapshotSlot(), garbage), life.records, "an anchor of zeros");
    }
    for (Life life : lives()) {
      List<Message> written = new ArrayList<>();
      boolean compacted = false;
      for (Life.Step step : life.steps) {
        compacted |= step.event() instanceof Event.Compacted;
        for (Action action : step.actions()) {
          if (compacted && action instanceof Action.Persist persist) {
            written.add(persist.message());
          }
        }
      }
      if (compacted && !written.isEmpty()) {
        tried++;
        mustRefuse(
            life.at(0, new byte[0]), written, "records of after a snapshot, and no snapshot");
      }
    }
    require(tried > 5, "too few snapshots to tell");
  }

  private void mustRefuse(CoreSetting setting, List<Message> records, String what) {
    try {
      protocol.open(setting, records);
    } catch (IllegalStateException e) {
      return;
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(what + ": not refused by an IllegalStateException, but " + e, e);
    }
    throw new AssertionError(what + ": taken");
  }

  private void disorder() {
    Random random = new Random(5);
    List<Message> all = new ArrayList<>();
    for (Life life : lives()) {
      all.addAll(life.records.subList(0, Math.min(50, life.records.size())));
    }
    for (Life life : lives()) {
      for (int i = 0; i < 20; i++) {
        List<Message> records = new ArrayList<>(life.records);
        for (int j = random.nextInt(4); j >= 0 && !records.isEmpty(); j--) {
          int at = random.nextInt(records.size());
          switch (random.nextInt(4)) {
            case 0 -> records.remove(at);
            case 1 -> records.add(at, records.get(random.nextInt(records.size())));
            case 2 -> records.add(at, all.get(random.nextInt(all.size())));
            default -> Collections.swap(records, at, random.nextInt(records.size()));
          }
        }
        try {
          protocol.open(life.again(), records);
        } catch (IllegalStateException e) {
          // Refused, as it should be.
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("not refused by an IllegalStateException, but " + e, e);
        }
      }
    }
  }

  // --- bytes ------------------------------------------------------------------------------------

  private List<byte[]> said() {
    TreeMap<String, byte[]> said = new TreeMap<>();
    for (Life life : lives()) {
      for (Life.Step step : life.steps) {
        for (Action action : step.actions()) {
          Message message =
              action instanceof Action.Send send
                  ? send.message()
                  : action instanceof Action.Persist persist ? persist.message() : null;
          if (message != null && said.size() < 20_000) {
            byte[] bytes = write(message);
            said.put(
                message.getClass().getName() + new String(bytes, StandardCharsets.ISO_8859_1),
                bytes);
          }
        }
      }
    }
    return List.copyOf(said.values());
  }

  private void codec() {
    for (byte[] bytes : said()) {
      WireReader in = new WireReader(bytes);
      Message read = protocol.codec().read(in);
      in.expectEnd();
      require(Arrays.equals(bytes, write(read)), read + " has other bytes than it was read from");
    }
  }

  private void damage() {
    List<byte[]> said = said();
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < DAMAGES; i++) {
      byte[] damaged = damaged(said, random);
      try {
        Message read = protocol.codec().read(new WireReader(damaged));
        byte[] again = write(read);
        require(
            Arrays.equals(again, write(protocol.codec().read(new WireReader(again)))),
            read + " is not read as it is written");
      } catch (WireFormatException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError(HexFormat.of().formatHex(damaged) + ": " + e, e);
      }
    }
    require(refused > DAMAGES / 20, "only " + refused + " of " + DAMAGES + " damages were noticed");
  }

  private static byte[] damaged(List<byte[]> said, Random random) {
    byte[] bytes = said.get(random.nextInt(said.size())).clone();
    for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
  }

  // --- nonsense ---------------------------------------------------------------------------------

  private void nonsense() {
    Random random = new Random(9);
    for (Life life : lives()) {
      ProtocolCore core = grown(life, random);
      List<Message> records = new ArrayList<>(life.records);
      for (Life.Step step : life.steps.subList(0, Math.min(200, life.steps.size()))) {
        for (Action action : step.actions()) {
          if (action instanceof Action.Persist persist) {
            records.add(persist.message());
          }
        }
      }
      records = records.subList(0, Math.min(50, records.size()));
      records.add(new Foreign());
      for (Message record : records) {
        for (NodeId from : life.setting.members()) {
          List<String> did = new ArrayList<>();
          core.step(
              new Event.Receive(from, record),
              action -> {
                if (!(action instanceof Action.WakeAt)) {
                  did.add(print(action));
                }
              });
          require(did.isEmpty(), "on " + record + " from " + from + ", which nobody says: " + did);
        }
      }
    }
  }

  private void anything() {
    Random random = new Random(11);
    List<byte[]> said = said();
    for (Life life : lives()) {
      ProtocolCore core = grown(life, random);
      for (int i = 0; i < 300; i++) {
        Message message;
        try {
          message =
              protocol
                  .codec()
                  .read(
                      new WireReader(
                          random.nextBoolean()
                              ? said.get(random.nextInt(said.size()))
                              : damaged(said, random)));
        } catch (WireFormatException e) {
          continue;
        }
        List<NodeId> members = life.setting.members();
        NodeId from = members.get(random.nextInt(members.size()));
        try {
          core.step(new Event.Receive(from, message), action -> {});
        } catch (AssertionError e) {
          // A lie that contradicts what is decided: the replica stops, loudly.
          break;
        } catch (RuntimeException e) {
          throw new AssertionError(message + " from " + from + ": threw " + e, e);
        }
      }
    }
  }

  /** A core as it was at some moment of its life. */
  private ProtocolCore grown(Life life, Random random) {
    ProtocolCore core = protocol.open(life.again(), life.records);
    int steps = 1 + random.nextInt(Math.min(STEPS_MAX, life.steps.size()));
    life.steps.subList(0, steps).forEach(step -> core.step(step.event(), action -> {}));
    return core;
  }

  // --- text -------------------------------------------------------------------------------------

  private List<String> act(ProtocolCore core, Event event) {
    List<String> actions = new ArrayList<>();
    core.step(event, action -> actions.add(print(action)));
    return actions;
  }

  private String print(Action action) {
    if (action instanceof Action.Persist persist) {
      return "Persist " + hex(persist.message()) + " @" + persist.slot();
    }
    if (action instanceof Action.Send send) {
      return "Send " + send.to() + " " + hex(send.message());
    }
    if (action instanceof Action.Decide decide) {
      StringBuilder text = new StringBuilder("Decide ").append(decide.firstSlot());
      decide
          .commands()
          .forEach(command -> text.append(' ').append(HexFormat.of().formatHex(command)));
      return text.toString();
    }
    return action.toString();
  }

  private String hex(Message message) {
    return message.getClass().getSimpleName() + " " + HexFormat.of().formatHex(write(message));
  }

  private byte[] write(Message message) {
    WireWriter out = new WireWriter(64);
    protocol.codec().write(message, out);
    return out.toByteArray();
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError(what);
    }
  }
}
