// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A candidate by configuration {@code io.clowder.election~NAME}. It says in the log that it leads;
 * what else is to happen hangs on the condition {@code io.clowder.leader.NAME}.
 */
@Component(
    service = {},
    immediate = true,
    configurationPid = ElectionCandidacy.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = ElectionCandidacy.Config.class, factory = true)
public final class ElectionCandidacy {
  static final String PID = "io.clowder.election";

  private static final Logger LOG = LoggerFactory.getLogger(ElectionCandidacy.class);

  /**
   * One candidate; a change of any key has it step down, and stand anew. For tools that show
   * configurations: {@link Standing} reads the values, so as to name the key that it refuses.
   */
  @ObjectClassDefinition(
      name = "Clowder election",
      description = "This node stands in an election; its leader has an OSGi condition")
  public @interface Config {
    /** The election. */
    @AttributeDefinition(
        name = "Election",
        required = false,
        description =
            "The name of the election, 1 to 64 of letters, digits, '.', '-' and '_'; if it is"
                + " missing, what comes after ~ in the name of this configuration")
    String election_name() default "";

    /** The consensus group that decides. */
    @AttributeDefinition(
        name = "Group",
        description = "The consensus group whose locks decide; the same on every node")
    String consensus_group() default "main";

    /** Who goes first. */
    @AttributeDefinition(
        name = "Priority",
        description = "0 to 9: of those who wait, the highest leads next; nobody is deposed by it",
        min = "0",
        max = "9")
    int election_priority() default 0;
  }

  private final ServiceRegistration<Candidate> registration;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public ElectionCandidacy(BundleContext context, Map<String, Object> properties) {
    Standing standing = standing(properties);
    registration =
        context.registerService(
            Candidate.class,
            new Told(standing.election()),
            FrameworkUtil.asDictionary(
                Map.of(
                    Candidate.ELECTION,
                    standing.election(),
                    Candidate.GROUP,
                    standing.group(),
                    Candidate.PRIORITY,
                    standing.priority())));
  }

  /** What a configuration says. */
  static Standing standing(Map<String, ?> properties) {
    String pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    int tilde = pid.indexOf('~');
    @Nullable String name = tilde < 0 ? null : pid.substring(tilde + 1);
    try {
      return Standing.of(properties, name, "");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(pid + ": " + e.getMessage(), e);
    }
  }

  /** Stands no more. */
  @Deactivate
  public void close() {
    registration.unregister();
  }

  /** The candidate. */
  private record Told(String election) implements Candidate {
    @Override
    public void elected(Leadership leadership) {
      LOG.info("this node leads election {} in epoch {}", election, leadership.epoch());
    }

    @Override
    public void deposed() {
      LOG.info("this node does not lead election {} any more", election);
    }
  }
}
