namespace CredBroker.Cedar.Tests.Entities;

internal sealed class EntityStoreTests
{
    [Test]
    public void Follows_parents_all_the_way()
    {
        var chain = EntityStore.Create(Enumerable.Range(0, 20_000).Select(i => new Entity(Uid(i), null, Uid(i + 1))));
        Assert.That(chain.IsIn(Uid(0), Uid(20_000)), Is.True);
        Assert.That(chain.IsIn(Uid(1), Uid(0)), Is.False);
    }

    [Test]
    public void Refuses_entities_that_are_given_twice_or_are_in_themselves()
    {
        Assert.That(() => EntityStore.Create([new Entity(Uid(1)), new Entity(Uid(1))]), Throws.ArgumentException);
        Assert.That(() => EntityStore.Create([new Entity(Uid(1), null, Uid(2)), new Entity(Uid(2), null, Uid(1))]), Throws.ArgumentException);
        Assert.That(() => EntityStore.Create([new Entity(Uid(1), null, Uid(1))]), Throws.ArgumentException);
        var diamond = EntityStore.Create([new Entity(Uid(1), null, Uid(2), Uid(3)), new Entity(Uid(2), null, Uid(4)), new Entity(Uid(3), null, Uid(4))]);
        Assert.That(diamond.IsIn(Uid(1), Uid(4)), Is.True);
    }

    [TestCase("")]
    [TestCase("A::")]
    [TestCase("::A")]
    [TestCase("A B")]
    [TestCase("1A")]
    [TestCase("A:B")]
    public void Entity_types_are_paths_of_names(string type) => Assert.That(() => new EntityUid(type, "x"), Throws.ArgumentException);

    private static EntityUid Uid(int number) => new("N", $"{number}");
}
