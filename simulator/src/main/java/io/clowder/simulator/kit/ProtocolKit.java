// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.kit;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.simulator.toy.Plant;
import io.clowder.simulator.toy.ToyWorld;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What every protocol must pass before a group may run on it: the laws of {@link
 * io.clowder.api.protocol}, each as a check with a name. Knows no test framework: a check throws
 * {@link AssertionError}. See the package for how to run it.
 */
public final class ProtocolKit {
  /** How long things go wrong in one world, in its own nanoseconds. */
  private static final long TROUBLE = 3_000_000;

  private static final long WORLDS = 30;

  private final ConsensusProtocol protocol;
  private final IntFunction<SortedMap<String, String>> parameters;

  /**
   * One claim.
   *
   * @param name of the law, or in words
   * @param body throws {@link AssertionError} if it does not hold
   */
  public record Check(String name, Runnable body) {
    /** Checks it. */
    public void run() {
      body.run();
    }
  }

  /** For a protocol that needs no parameters. */
  public ProtocolKit(ConsensusProtocol protocol) {
    this(protocol, members -> new TreeMap<>());
  }

  /**
   * For a protocol.
   *
   * @param parameters for a segment of so many members
   */
  public ProtocolKit(
      ConsensusProtocol protocol, IntFunction<SortedMap<String, String>> parameters) {
    this.protocol = protocol;
    this.parameters = parameters;
  }

  /** All checks, each of which stands for itself. */
  public List<Check> checks() {
    List<Check> checks = new ArrayList<>();
    checks.add(
        new Check(
            "random worlds: laws 1 and 3, one history, one leader, then progress", this::worlds));
    checks.add(new Check("parameters that it does not know are refused by name", this::parameters));
    checks.addAll(new GroupChecks(protocol).checks());
    checks.addAll(new CoreChecks(protocol).checks());
    return checks;
  }

  /** Runs all checks; the first that fails is thrown with its name. */
  public void run() {
    for (Check check : checks()) {
      try {
        check.run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(check.name() + ": " + e.getMessage(), e);
      }
    }
  }

  private void worlds() {
    for (long seed = 1; seed <= WORLDS; seed++) {
      String failure = world(seed);
      if (failure != null) {
        throw new AssertionError("world " + seed + ": " + failure);
      }
    }
  }

  /**
   * Runs cores with everything going wrong as a seed says, then heals and demands progress.
   *
   * @return what broke, or null
   */
  public @Nullable String world(long seed) {
    try {
      new ToyWorld<>(new Witness(protocol, parameters), seed, Plant.NONE).run(TROUBLE);
      return null;
    } catch (AssertionError | RuntimeException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private void parameters() {
    for (int size = 1; size <= 7; size++) {
      List<NodeId> members = members(size);
      protocol.check(members, parameters.apply(size));
      SortedMap<String, String> wrong = new TreeMap<>(parameters.apply(size));
      wrong.put("no.such.parameter", "1");
      try {
        protocol.check(members, wrong);
      } catch (IllegalArgumentException e) {
        if (String.valueOf(e.getMessage()).contains("no.such.parameter")) {
          continue;
        }
        throw new AssertionError("the refusal does not name the parameter: " + e.getMessage(), e);
      }
      throw new AssertionError("a parameter that nobody knows is taken for " + size + " members");
    }
  }

  static List<NodeId> members(int count) {
    return IntStream.rangeClosed(1, count).mapToObj(i -> new NodeId("n" + i)).toList();
  }
}
