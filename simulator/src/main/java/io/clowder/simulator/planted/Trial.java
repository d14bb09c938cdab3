// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.planted;

import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.simulator.ClusterSimulation;
import io.clowder.simulator.kit.ProtocolKit;
import io.clowder.simulator.trace.TraceFile;
import io.clowder.simulator.trace.Vocabulary;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Runs what may find a bug, by its name and a seed, and says what it found. Of one protocol, {@code
 * raft} or {@code paxos}:
 *
 * <ul>
 *   <li>{@code cluster} simulates a cluster that goes from one to the other
 *   <li>{@code raft world} simulates cores in a toy world
 *   <li>{@code raft kit} makes the checks of the kit, but for the random worlds
 *   <li>{@code raft traces} plays the traces
 *   <li>{@code unit CLASS} runs the unit tests of a class of the driver, of what it runs on, or of
 *       the locks
 * </ul>
 */
public final class Trial implements BiFunction<String, Long, @Nullable String> {
  private static final CoreSetting.Timing TRACE_TIMING = new CoreSetting.Timing(10, 100);

  /** Made where the mutant's classes are. */
  public Trial() {}

  @Override
  public @Nullable String apply(String way, Long seed) {
    try {
      String[] words = way.split(" ");
      if (words[0].equals("unit")) {
        return unit(words[1]);
      }
      return words.length == 1 ? cluster(seed) : ofProtocol(words[0], words[1], seed);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static @Nullable String cluster(long seed) {
    TreeMap<String, ConsensusProtocol> protocols = new TreeMap<>();
    protocols.put("raft", protocol("raft"));
    protocols.put("paxos", protocol("paxos"));
    try {
      new ClusterSimulation(seed, protocols).run();
      return null;
    } catch (AssertionError | RuntimeException | LinkageError | VirtualMachineError e) {
      return firstLine(e);
    }
  }

  private static @Nullable String ofProtocol(String name, String way, long seed)
      throws IOException {
    ProtocolKit kit = new ProtocolKit(protocol(name));
    return switch (way) {
      case "world" -> kit.world(seed);
      case "kit" -> kit(kit);
      case "traces" -> traces(name);
      default -> throw new IllegalArgumentException("no such way: " + way);
    };
  }

  private static @Nullable String kit(ProtocolKit kit) {
    for (ProtocolKit.Check check : kit.checks()) {
      if (!check.name().startsWith("random worlds")) {
        try {
          check.run();
        } catch (AssertionError | RuntimeException e) {
          return check.name() + ": " + firstLine(e);
        }
      }
    }
    return null;
  }

  private static @Nullable String traces(String name) throws IOException {
    var vocabulary = (Vocabulary) make(name, "Vocabulary");
    for (TraceFile file :
        TraceFile.in(Path.of("../consensus-" + name + "/src/test/resources/traces"))) {
      try {
        if (!file.actual(protocol(name), vocabulary, TRACE_TIMING).equals(file.expected())) {
          return "trace " + file.name();
        }
      } catch (AssertionError | RuntimeException e) {
        return "trace " + file.name() + ": " + firstLine(e);
      }
    }
    return null;
  }

  private static @Nullable String unit(String type) {
    try {
      Class<?> tests = tests(type);
      for (Method test : annotated(tests, "Test")) {
        var constructor = tests.getDeclaredConstructor();
        constructor.setAccessible(true);
        Object instance = constructor.newInstance();
        try {
          for (Method before : annotated(tests, "BeforeEach")) {
            before.invoke(instance);
          }
          test.invoke(instance);
        } catch (InvocationTargetException e) {
          return test.getName() + ": " + firstLine(e.getCause());
        }
      }
      return null;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("unit tests of " + type, e);
    }
  }

  private static Class<?> tests(String type) throws ClassNotFoundException {
    for (String bundle : List.of("consensus", "api.runtime")) {
      try {
        return Class.forName("io.clowder." + bundle + "." + type);
      } catch (ClassNotFoundException e) {
        // another one's, then
      }
    }
    return Class.forName("io.clowder.lock." + type);
  }

  private static List<Method> annotated(Class<?> type, String annotation) {
    List<Method> methods = new ArrayList<>();
    for (Method method : type.getDeclaredMethods()) {
      for (var found : method.getAnnotations()) {
        if (found.annotationType().getSimpleName().equals(annotation)) {
          method.setAccessible(true);
          methods.add(method);
        }
      }
    }
    return methods;
  }

  private static ConsensusProtocol protocol(String name) {
    return (ConsensusProtocol) make(name, "Protocol");
  }

  private static Object make(String name, String what) {
    String type = name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1) + what;
    try {
      var constructor =
          Class.forName("io.clowder.consensus." + name + "." + type).getDeclaredConstructor();
      constructor.setAccessible(true);
      return constructor.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("no " + type, e);
    }
  }

  private static String firstLine(Throwable failure) {
    return String.valueOf(failure.getMessage()).lines().findFirst().orElse(failure.toString());
  }
}
