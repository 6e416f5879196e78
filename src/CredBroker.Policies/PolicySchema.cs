using System.Collections.Immutable;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>The broker's Cedar schema: what policies can speak of.</summary>
public sealed class PolicySchema
{
    /// <summary>Reads the schema.</summary>
    /// <exception cref="CedarSyntaxException">The schema is wrong: a fault of this build.</exception>
    public PolicySchema(string text)
    {
        Schema = Schema.Parse(text, "broker.cedarschema").OrThrow();
        Common = [new Entity(BrokerEntities.Installation), .. Schema.ActionEntities];
    }

    /// <summary>The schema.</summary>
    public Schema Schema { get; }

    /// <summary>The entities that every question needs: the installation, and the actions with their groups.</summary>
    public ImmutableArray<Entity> Common { get; }
}
