using CredBroker.Abstractions;
using CredBroker.Core.Signing;
using CredBroker.Core.Tests.Identity;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Signing;

[TestFixture]
internal sealed class InstallationTests
{
    private static readonly InstallationOptions Ours = IdentityHarness.Installation;
    private readonly LeaseMarks _marks = new(Ours);
    private readonly Uid _lease = Uid.New(new FakeTimeProvider());

    [TestCase("id", "abc")]
    [TestCase("id", "ABCDEF")]
    [TestCase("id", "abcde-")]
    [TestCase("publicUrl", "broker.example.com")]
    [TestCase("publicUrl", "https://broker.example.com/")]
    [TestCase("publicUrl", "http://broker.example.com")]
    [TestCase("publicUrl", "https://user@broker.example.com")]
    [TestCase("publicUrl", "https://broker.example.com?x")]
    [TestCase("publicUrl", "ftp://broker.example.com")]
    [TestCase("wrappingKey", "short")]
    [TestCase("wrappingKey", "zero")]
    public void Says_which_setting_is_wrong(string setting, string value)
    {
        var options = setting switch
        {
            "id" => Ours with { Id = value },
            "publicUrl" => Ours with { PublicUrl = value },
            _ => Ours with { WrappingKey = new byte[value == "short" ? 31 : 32] },
        };
        Assert.That(options.Validate().Select(error => error.Path), Is.EqualTo(new[] { setting }));
    }

    [TestCase("https://broker.example.com")]
    [TestCase("https://example.com/broker")]
    [TestCase("http://127.0.0.1:8080")]
    [TestCase("http://localhost:8080")]
    public void Accepts_a_public_URL(string url) => Assert.That((Ours with { PublicUrl = url }).Validate(), Is.Empty);

    [Test]
    public void A_mark_of_ours_names_its_lease()
    {
        var mark = _marks.Make(_lease).ToString();
        Assert.That(mark, Does.Match($@"\Acb1:test01:{_lease}:[0-9a-f]{{8}}:[A-Za-z0-9_-]{{43}}\z").And.Length.EqualTo(LeaseMark.Length));
        Assert.That(_marks.Check(mark, out var lease), Is.EqualTo(MarkVerdict.Ours));
        Assert.That(lease, Is.EqualTo(_lease));
    }

    [Test]
    public void A_mark_cannot_be_moved_to_another_lease_installation_or_key()
    {
        var mark = _marks.Make(_lease);
        var otherKey = new LeaseMarks(Ours with { WrappingKey = [.. Ours.WrappingKey.Reverse()] });
        Assert.Multiple(() =>
        {
            Assert.That(_marks.Check((mark with { LeaseId = Uid.New(new FakeTimeProvider()) }).ToString(), out _), Is.EqualTo(MarkVerdict.Forged));
            Assert.That(_marks.Check((mark with { InstallationId = "other1" }).ToString(), out _), Is.EqualTo(MarkVerdict.OtherInstallation));
            Assert.That(_marks.Check((mark with { KeyId = "00000000" }).ToString(), out _), Is.EqualTo(MarkVerdict.Forged));
            Assert.That(_marks.Check((mark with { Mac = new string('A', 43) }).ToString(), out _), Is.EqualTo(MarkVerdict.Forged));
            Assert.That(otherKey.Check(mark.ToString(), out _), Is.EqualTo(MarkVerdict.Forged), "a cloned database without the operator's key is not the installation");
        });
    }

    [Test]
    public void Marks_made_before_a_change_of_the_wrapping_key_still_verify()
    {
        var changed = new LeaseMarks(Ours with { WrappingKey = [.. Ours.WrappingKey.Reverse()], PreviousWrappingKeys = [Ours.WrappingKey] });
        Assert.That(changed.Check(_marks.Make(_lease).ToString(), out _), Is.EqualTo(MarkVerdict.Ours));
        Assert.That(_marks.Check(changed.Make(_lease).ToString(), out _), Is.EqualTo(MarkVerdict.Forged));
    }

    [Test]
    public void A_mark_is_made_again_with_the_key_that_was_noted_and_with_no_other()
    {
        var mark = _marks.Make(_lease);
        var changed = new LeaseMarks(Ours with { WrappingKey = [.. Ours.WrappingKey.Reverse()], PreviousWrappingKeys = [Ours.WrappingKey] });
        Assert.That(changed.Make(_lease, _marks.PresentKeyId), Is.EqualTo(mark));
        Assert.That(changed.Make(_lease).KeyId, Is.EqualTo(changed.PresentKeyId).And.EqualTo(LeaseMarks.KeyIdOf([.. Ours.WrappingKey.Reverse()])));
        Assert.That(changed.Make(_lease, ""), Is.EqualTo(changed.Make(_lease)), "leases from before the key was noted");
        var failure = Assert.Throws<ProviderException>(() => _marks.Make(_lease, changed.PresentKeyId));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Credential, ProviderEffect.None)), "the provider is not at fault");
    }

    [Test]
    public void What_has_not_the_form_is_no_mark()
    {
        var mark = _marks.Make(_lease).ToString();
        string?[] texts = [null, "", "cb1", mark + " ", " " + mark, mark[..^1], mark.ToUpperInvariant(), mark.Replace("cb1", "cb2", StringComparison.Ordinal),
            mark.Replace(':', ';'), mark[..^1] + "\n", mark[..^1] + "é", new string(':', LeaseMark.Length)];
        Assert.That(texts.Select(text => _marks.Check(text, out _)), Is.All.EqualTo(MarkVerdict.None));
    }
}
