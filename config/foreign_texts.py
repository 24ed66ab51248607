# ruff: noqa: E501  the texts are found by what they are, to the letter
"""Texts of allauth and Django REST framework that we say otherwise in German: theirs address people as "du", ours as "Sie".

Nothing reads this list but config/catalogues.py, which so keeps them in locale/de. That catalogue is merged last, so it wins.
"""

from django.utils.translation import gettext_noop as _

ALLAUTH = (
    _("%(client_name)s wants to access your %(site_name)s account."),
    _('<strong>Note:</strong> you can still <a href="%(email_url)s">change your email address</a>.'),
    _(
        "A list of allowed grant types. Provide one value per line, e.g.: authorization_code(ENTER)client_credentials(ENTER)refresh_token(ENTER)"
    ),
    _("A list of allowed response types. Provide one value per line, e.g.: code(ENTER)id_token token(ENTER)"),
    _("Already have an account? Then please %(link)ssign in%(end_link)s."),
    _(
        "An account already exists with this email address. Please sign in to that account first, then connect your %s account."
    ),
    _("Are you sure you want to sign out?"),
    _("Authorization for your %(client_name)s device has been denied."),
    _("Be patient, you are sending too many requests."),
    _("Do you really want to remove the selected email address?"),
    _("Enter the code displayed on your device."),
    _(
        "Forgotten your password? Enter your email address below, and we'll send you an email allowing you to reset it."
    ),
    _("If you have not created an account yet, then please %(link)ssign up%(end_link)s first."),
    _(
        "In case the client does not specify any scope, these default scopes are used. Provide one value per line, e.g.: openid(ENTER)profile(ENTER)email(ENTER)"
    ),
    _("In case you forgot, your username is %(username)s."),
    _("Please Confirm Your Email Address"),
    _(
        'Please confirm that <a href="mailto:%(email)s">%(email)s</a> is an email address for user %(user_display)s.'
    ),
    _("Please confirm the code shown on your %(client_name)s to authorize this device."),
    _("Please select only one."),
    _("Please type your current password."),
    _("Thank you for using %(site_name)s!\n%(site_domain)s"),
    _(
        'The password reset link was invalid, possibly because it has already been used.  Please request a <a href="%(passwd_reset_url)s">new password reset</a>.'
    ),
    _(
        "The scope(s) the client is allowed to request. Provide one value per line, e.g.: openid(ENTER)profile(ENTER)email(ENTER)"
    ),
    _(
        'This email confirmation link expired or is invalid. Please <a href="%(email_url)s">issue a new email confirmation request</a>.'
    ),
    _(
        "This part of the site requires us to verify that\nyou are who you claim to be. For this purpose, we require that you\nverify ownership of your email address. "
    ),
    _("Too many failed login attempts. Try again later."),
    _("Username can not be used. Please use other username."),
    _("Verify Your Email Address"),
    _("View your basic profile information"),
    _("View your email address"),
    _("View your user ID"),
    _(
        "We have sent an email to you for\nverification. Please click on the link inside that email. If you do not see the verification email in your main inbox, check your spam folder. Otherwise\ncontact us if you do not receive it within a few minutes."
    ),
    _(
        "We have sent an email to you for verification. Follow the link provided to finalize the signup process. If you do not see the verification email in your main inbox, check your spam folder. Please contact us if you do not receive the verification email within a few minutes."
    ),
    _(
        "We have sent you an email. If you have not received it please check your spam folder. Otherwise contact us if you do not receive it in a few minutes."
    ),
    _("You are about to connect a new third-party account from %(provider)s."),
    _("You are about to deactivate authenticator app based authentication. Are you sure?"),
    _("You are about to generate a new set of recovery codes for your account."),
    _("You are about to sign in using a third-party account from %(provider)s."),
    _(
        "You are about to use your %(provider_name)s account to login to\n%(site_name)s. As a final step, please complete the following form:"
    ),
    _("You are already logged in as %(user_display)s."),
    _(
        "You are receiving this email because you or someone else tried to signup for an\naccount using email address:\n\n%(email)s\n\nHowever, an account using that email address already exists.  In case you have\nforgotten about this, please use the password forgotten procedure to recover\nyour account:\n\n%(password_reset_url)s"
    ),
    _("You cannot add more than %d email addresses."),
    _("You cannot remove your primary email address (%(email)s)."),
    _("You cannot remove your primary email address."),
    _(
        "You currently do not have any email address set up. You should really add an email address so you can receive notifications, reset your password, etc."
    ),
    _(
        'You decided to cancel logging in to our site using one of your existing accounts. If this was a mistake, please proceed to <a href="%(login_url)s">sign in</a>.'
    ),
    _("You have confirmed %(email)s."),
    _("You have signed out."),
    _("You must type the same email each time."),
    _("You must type the same password each time."),
    _("You successfully authorized your %(client_name)s device."),
    _(
        "You're receiving this email because you or someone else has requested a password reset for your user account.\nIt can be safely ignored if you did not request a password reset. Click the link below to reset your password."
    ),
    _("Your account has no password set up."),
    _("Your account has no verified email address."),
    _("Your email address is still pending verification."),
    _("Your password has been changed."),
    _("Your password is now changed."),
    _("Your phone number is still pending verification."),
    _("Your primary email address must be verified."),
)
REST_FRAMEWORK = (
    _("Date has wrong format. Use one of these formats instead: {format}."),
    _("Datetime has wrong format. Use one of these formats instead: {format}."),
    _("Duration has wrong format. Use one of these formats instead: {format}."),
    _("Time has wrong format. Use one of these formats instead: {format}."),
    _("Ensure that there are no more than {max_decimal_places} decimal places."),
    _("Ensure that there are no more than {max_digits} digits in total."),
    _("Ensure that there are no more than {max_whole_digits} digits before the decimal point."),
    _("Ensure this field has at least {min_length} characters."),
    _("Ensure this field has no more than {max_length} characters."),
    _("Ensure this filename has at most {max_length} characters (it has {length})."),
    _("Ensure this value is greater than or equal to {min_value}."),
    _("Ensure this value is less than or equal to {max_value}."),
    _('Enter a valid "slug" consisting of Unicode letters, numbers, underscores, or hyphens.'),
    _('Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'),
    _("Enter a valid URL."),
    _("Enter a valid email address."),
    _("The submitted data was not a file. Check the encoding type on the form."),
    _("Upload a valid image. The file you uploaded was either not an image or a corrupted image."),
)
