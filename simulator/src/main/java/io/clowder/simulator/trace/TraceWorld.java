// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The cores of a trace and the messages between them. Nothing happens by itself.
 *
 * <pre>
 *   open NODE MEMBER… [NAME=VALUE…] [snapshot=0] [anchor=HEX]   a core with parameters; its journal in the lines below
 *   chance NODE NUMBER                      what its random generator gives (0)
 *   clock NODE NANOS                        events, see Event
 *   propose|barrier NODE TICKET [COMMAND…]
 *   compacted|installed NODE SLOT [HEX]
 *   resign|campaign NODE
 *   gone NODE MEMBER
 *   receive FROM NODE MESSAGE               a message that nobody sent
 *   deliver|drop FROM NODE [COUNT]          messages on their way, the oldest first; all
 *   settle [tersely] NODE…                  delivers between these until nothing is on its way
 *   hold|sync NODE                          its disk syncs no more; syncs all, and as before
 *   crash|restart NODE                      what is not synced is lost
 *   view NODE, anchor NODE SLOT
 * </pre>
 */
public final class TraceWorld {
  private final ConsensusProtocol protocol;
  private final Vocabulary vocabulary;
  private final CoreSetting.Timing timing;
  private final Map<String, TraceNode> nodes = new TreeMap<>();

  /** What is on its way, by {@code from>to}. */
  private final Map<String, List<Message>> links = new TreeMap<>();

  private List<String> out = new ArrayList<>();
  private boolean tersely;

  /** An empty world for cores of one protocol. */
  public TraceWorld(ConsensusProtocol protocol, Vocabulary vocabulary, CoreSetting.Timing timing) {
    this.protocol = protocol;
    this.vocabulary = vocabulary;
    this.timing = timing;
  }

  /**
   * Does what the step says.
   *
   * @return what came of it, one line each
   */
  public List<String> run(Trace.Step step) {
    out = new ArrayList<>();
    List<String> words = List.of(step.command().strip().split(" +"));
    try {
      run(words, step.more());
    } catch (IllegalStateException | AssertionError e) {
      out.add(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
    return out;
  }

  private void run(List<String> words, List<String> more) {
    String first = words.get(1);
    switch (words.get(0)) {
      case "open" -> open(words, more);
      case "chance" -> node(first).chance.value = Long.parseLong(words.get(2));
      case "clock" -> step(first, new Event.Clock(number(words)));
      case "propose" -> step(first, new Event.Propose(number(words), commands(words)));
      case "barrier" -> step(first, new Event.Barrier(number(words)));
      case "compacted" -> step(first, new Event.Compacted(number(words)));
      case "installed" ->
          step(first, new Event.Installed(number(words), HexFormat.of().parseHex(hex(words))));
      case "resign" -> step(first, new Event.Resign());
      case "campaign" -> step(first, new Event.Campaign());
      case "gone" -> step(first, new Event.Gone(new NodeId(words.get(2))));
      case "receive" ->
          receive(
              first,
              words.get(2),
              vocabulary.parse(String.join(" ", words.subList(3, words.size()))));
      case "deliver", "drop" -> deliver(words);
      case "settle" -> settle(words.subList(1, words.size()));
      case "hold" -> node(first).held = true;
      case "sync" -> {
        node(first).held = false;
        release(node(first));
      }
      case "crash" -> node(first).crash();
      case "restart" -> node(first).restart();
      case "view" -> view(node(first).core().view());
      case "anchor" -> anchor(node(first).core().anchor(number(words)));
      default -> throw new IllegalArgumentException("no such command: " + words);
    }
  }

  private static long number(List<String> words) {
    return Long.parseLong(words.get(2));
  }

  private static String hex(List<String> words) {
    return words.size() > 3 ? words.get(3) : "";
  }

  private void anchor(byte[] anchor) {
    out.add(anchor.length == 0 ? "-" : HexFormat.of().formatHex(anchor));
  }

  private static List<byte[]> commands(List<String> words) {
    return words.stream().skip(3).map(w -> w.getBytes(StandardCharsets.UTF_8)).toList();
  }

  private void open(List<String> words, List<String> more) {
    List<NodeId> members = new ArrayList<>();
    SortedMap<String, String> parameters = new TreeMap<>();
    long snapshot = 0;
    byte[] anchor = {};
    for (String word : words.subList(2, words.size())) {
      String value = word.substring(word.indexOf('=') + 1);
      if (word.startsWith("snapshot=")) {
        snapshot = Long.parseLong(value);
      } else if (word.startsWith("anchor=")) {
        anchor = HexFormat.of().parseHex(value);
      } else if (word.contains("=")) {
        parameters.put(word.substring(0, word.indexOf('=')), value);
      } else {
        members.add(new NodeId(word));
      }
    }
    List<Message> records = new ArrayList<>();
    more.forEach(line -> records.add(vocabulary.parse(line)));
    TraceNode.Opening opening =
        new TraceNode.Opening(
            new NodeId(words.get(1)), members, parameters, snapshot, anchor, records);
    nodes.put(words.get(1), new TraceNode(protocol, timing, opening));
  }

  private void step(String name, Event event) {
    TraceNode node = node(name);
    node.step(event).forEach(this::print);
    release(node);
  }

  private void receive(String from, String to, Message message) {
    step(to, new Event.Receive(new NodeId(from), message));
  }

  private void release(TraceNode node) {
    for (TraceNode.Sent sent : node.release(!node.held)) {
      links
          .computeIfAbsent(node.id + ">" + sent.to(), link -> new ArrayList<>())
          .add(sent.message());
    }
  }

  private void deliver(List<String> words) {
    String from = words.get(1);
    String to = words.get(2);
    List<Message> link = links.getOrDefault(from + ">" + to, new ArrayList<>());
    int count = words.size() > 3 ? Integer.parseInt(words.get(3)) : link.size();
    if (link.isEmpty()) {
      out.add("nothing on its way");
    }
    if (count > link.size()) {
      throw new IllegalArgumentException(words + ": " + link.size() + " on their way");
    }
    List<Message> taken = new ArrayList<>(link.subList(0, count));
    link.subList(0, count).clear();
    for (Message message : taken) {
      if (words.get(0).equals("drop")) {
        out.add("lost " + vocabulary.print(message));
      } else {
        deliver(from, to, message);
      }
    }
  }

  private void deliver(String from, String to, Message message) {
    List<String> before = out;
    out = new ArrayList<>();
    receive(from, to, message);
    if (!tersely) {
      before.add(from + " to " + to + ": " + vocabulary.print(message));
      out.forEach(line -> before.add("  " + line));
    } else {
      out.forEach(line -> before.add(to + ": " + line));
    }
    out = before;
  }

  /** By turns, one message of every link, so that the order is always the same. */
  private void settle(List<String> words) {
    tersely = words.get(0).equals("tersely");
    List<String> names = tersely ? words.subList(1, words.size()) : words;
    boolean moved = true;
    while (moved) {
      moved = false;
      for (String from : names) {
        for (String to : names) {
          List<Message> link = links.get(from + ">" + to);
          if (link != null && !link.isEmpty()) {
            deliver(from, to, link.remove(0));
            moved = true;
          }
        }
      }
    }
    tersely = false;
  }

  private void print(Action action) {
    if (action instanceof Action.Decide a) {
      List<String> texts = a.commands().stream().map(TraceWorld::text).toList();
      out.add("Decide " + a.firstSlot() + ": " + String.join(" ", texts));
    } else if (action instanceof Action.Ready a) {
      out.add("Ready " + a.ticket() + " at " + a.slot());
    } else if (action instanceof Action.Refuse a) {
      out.add("Refuse " + a.ticket() + ", leader " + (a.leader() == null ? "-" : a.leader()));
    } else if (action instanceof Action.Lead a) {
      out.add("Lead term " + a.term());
    } else if (action instanceof Action.Follow a) {
      out.add("Follow " + (a.leader() == null ? "-" : a.leader()) + " term " + a.term());
    } else if (action instanceof Action.NeedSnapshot a) {
      out.add("NeedSnapshot " + a.peer());
    } else if (!tersely) {
      printDetail(action);
    }
  }

  private void printDetail(Action action) {
    if (action instanceof Action.Persist a) {
      out.add("Persist " + vocabulary.print(a.message()) + " @" + a.slot());
    } else if (action instanceof Action.Send a) {
      out.add("Send " + a.to() + " " + vocabulary.print(a.message()));
    } else if (action instanceof Action.Trim a) {
      out.add("Trim " + a.slot());
    } else if (action instanceof Action.WakeAt a) {
      out.add("WakeAt " + a.nanos());
    } else {
      throw new AssertionError("unknown action " + action);
    }
  }

  private void view(ProtocolCore.View view) {
    out.add(
        view.role()
            + " term "
            + view.term()
            + " last "
            + view.lastSlot()
            + " decided "
            + view.decided());
    if (!view.waiting().isEmpty()) {
      out.add("waiting: " + view.waiting());
    }
  }

  private static String text(byte[] command) {
    return Arrays.equals(command, new byte[0]) ? "-" : new String(command, StandardCharsets.UTF_8);
  }

  private TraceNode node(String name) {
    TraceNode node = nodes.get(name);
    if (node == null) {
      throw new IllegalArgumentException("no node " + name);
    }
    return node;
  }
}
