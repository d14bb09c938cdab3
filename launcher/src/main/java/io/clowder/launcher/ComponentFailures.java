// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/** Why components of ours do not serve. */
final class ComponentFailures {
  /** What the names of our bundles begin with. */
  static final String OURS = "io.clowder.";

  /** What SCR says of a component whose reference could not be had. */
  private static final String FOLLOWS = "Unable to get service for reference";

  private static final Pattern THROWABLE =
      Pattern.compile("(?m)^(?:Caused by: )?([\\w.$]+(?:Exception|Error|Throwable))(?:: (.*))?$");

  private static final Pattern NAMES =
      Pattern.compile("^(?:[\\w.$]+\\.\\w*(?:Exception|Error|Throwable)(?:: |$))+");

  private ComponentFailures() {}

  /**
   * What stopped a component that failed to start; null if none did. Of several, one that failed by
   * itself, not for want of another.
   */
  static @Nullable String failed(ServiceComponentRuntime components) {
    String failed = null;
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs()) {
      for (ComponentConfigurationDTO configured :
          components.getComponentConfigurationDTOs(component)) {
        if (component.bundle.symbolicName.startsWith(OURS)
            && configured.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
          String sentence = sentence(configured.failure);
          if (failed == null || failed.startsWith(FOLLOWS)) {
            failed = sentence;
          }
        }
      }
    }
    return failed;
  }

  /** The components that wait for a configuration or a service, each with what it waits for. */
  static List<String> waiting(ServiceComponentRuntime components) {
    List<String> waiting = new ArrayList<>();
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs()) {
      if (component.bundle.symbolicName.startsWith(OURS)
          && components.isComponentEnabled(component)) {
        components.getComponentConfigurationDTOs(component).stream()
            .filter(c -> c.state == ComponentConfigurationDTO.UNSATISFIED_REFERENCE)
            .forEach(c -> waiting.add(component.name + " waits for " + missing(c)));
      }
    }
    return waiting;
  }

  /** The message of the outermost exception of a stack trace that says more than its cause. */
  static String sentence(String stackTrace) {
    List<String> causes = new ArrayList<>();
    String sentence = null;
    Matcher throwable = THROWABLE.matcher(stackTrace);
    while (throwable.find()) {
      causes.add(throwable.group(1));
      String message = throwable.group(2) == null ? "" : throwable.group(2).strip();
      // An exception that was made of its cause has the cause's name in front.
      String bare = NAMES.matcher(message).replaceFirst("");
      boolean wrapper = throwable.group(1).matches(".*(InvocationTarget|Component|Log)Exception");
      boolean says = !bare.isEmpty() && !bare.equals("null");
      if (sentence == null && says && (!wrapper || !bare.equals(message))) {
        sentence = bare;
      }
    }
    if (sentence != null) {
      return sentence;
    }
    return causes.isEmpty()
        ? stackTrace.lines().findFirst().orElse("unknown")
        : causes.get(causes.size() - 1);
  }

  private static String missing(ComponentConfigurationDTO configured) {
    List<String> names = new ArrayList<>();
    for (var reference : configured.unsatisfiedReferences) {
      names.add(reference.name);
    }
    return names.toString();
  }
}
